"""The system of Newton's method beside differences of the objective."""

import numpy as np
import pytest

from polytask.solvers.low_rank import gram_alternation
from polytask.solvers.low_rank.ahead import Ahead
from polytask.solvers.low_rank.gram_steps import Prior, _newton_matrix, head_step, newton_system
from polytask.solvers.low_rank.heads import FreeHeads
from polytask.solvers.low_rank.task_quadratic import TaskQuadratic

M, D, K = 13, 7, 3


@pytest.mark.parametrize("q", [0, 1, 8])
@pytest.mark.parametrize("common", [None, 0.3])
def test_the_matrix_is_the_hessian_at_the_best_heads(q, common, rng):
    X = rng.normal(size=(M, 20, D))
    H, E = X.transpose(0, 2, 1) @ X / 20, 0.1 * rng.normal(size=(M, q, D))
    Q = TaskQuadratic(H, rng.normal(size=(M, D)), E, 30.0 * np.eye(q), rng.normal(size=q), 50.0)
    V, step = np.linalg.qr(rng.normal(size=(D, K)))[0].T, rng.normal(size=(K, D))
    B, prior = np.diag(rng.uniform(0.1, 1.0, K)), Prior(0.2, common)

    def value(size):
        moved = V + size * step
        return head_step(Q, moved, prior).value + 0.5 * float(np.vdot(moved, B @ moved))

    at = head_step(Q, V, prior)
    S = _newton_matrix(at, B, prior)
    shared = S[K * D :]
    S = S[: K * D, : K * D] - shared[:, : K * D].T @ np.linalg.solve(
        shared[:, K * D :], shared[:, : K * D]
    )
    second = (value(1e-4) - 2.0 * value(0.0) + value(-1e-4)) / 1e-8
    assert float(step.ravel() @ S @ step.ravel()) == pytest.approx(second, rel=1e-4)
    slope = (value(1e-4) - value(-1e-4)) / 2e-4
    assert float(np.vdot(at.A.T @ at.gradient + B @ V, step)) == pytest.approx(slope, rel=1e-6)
    unit = float(np.trace(_newton_matrix(at, B, prior)[: K * D, : K * D])) / (K * D)
    damped = newton_system(at, B, prior, False)(1e5)  # so much that it is steepest descent
    descent = -(at.A.T @ at.gradient + B @ V) / (1e5 * unit)
    if unit > 0:
        assert damped is not None
        np.testing.assert_allclose(damped, descent, atol=1e-3 * np.abs(descent).max())
    else:
        assert damped is None


def test_sweeps_go_on_to_where_the_last_ones_promise(rng, monkeypatch):
    X = rng.normal(size=(M, 12, D)) * np.linspace(1.0, 3.0, D)
    A, V = rng.normal(size=(M, K)), rng.normal(size=(K, D))
    y = (X @ (A @ V + 0.3 * rng.normal(size=(M, D)))[:, :, None])[:, :, 0]
    H, s = X.transpose(0, 2, 1) @ X, (X.transpose(0, 2, 1) @ y[:, :, None])[:, :, 0]
    none = np.zeros((M, 0, D)), np.zeros((0, 0)), np.zeros(0)
    Q = TaskQuadratic(H, s, *none, 0.5 * float((y**2).sum()))
    start, bound = np.eye(K, D), np.abs(s).max(axis=0)
    monkeypatch.setattr(gram_alternation._State, "slow", lambda *_: False)

    def fit():
        return gram_alternation.alternate_grams(Q, FreeHeads(), start, 1e-9, 500, bound)

    found = fit()
    monkeypatch.setattr(Ahead, "of", lambda self, V, swept: swept)
    monkeypatch.setattr(Ahead, "fell_back", lambda self: None)
    plain = fit()
    assert found.ended
    assert plain.ended
    assert found.history[-1] == pytest.approx(plain.history[-1], rel=1e-9)
    assert len(found.history) < 0.7 * len(plain.history)
    assert (np.diff(found.history) <= 1e-9 * found.history[0]).all()


def test_the_way_ahead_is_the_same_in_any_basis(rng):
    end = np.linalg.qr(rng.normal(size=(D, D)))[0][:K]
    points = [end + 0.2**n * rng.normal(size=(K, D)) for n in range(1, 6)]
    turns = [np.linalg.qr(rng.normal(size=(K, K)))[0] for _ in range(5)]
    plain, turned = Ahead(), Ahead()
    for n in range(4):
        one = plain.of(points[n], points[n + 1])
        other = turned.of(turns[n] @ points[n], turns[n + 1] @ points[n + 1])
    project = [np.linalg.pinv(V) @ V for V in (one, other)]
    np.testing.assert_allclose(*project, atol=1e-9)
    lost = plain.of(points[0], np.zeros((K, D)))  # no basis: what was swept, and a new beginning
    np.testing.assert_array_equal(lost, np.zeros((K, D)))
    assert plain._here is None
