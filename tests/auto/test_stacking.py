"""Weights on the simplex."""

import numpy as np
import pytest

from polytask.responses import Logistic, Squared
from polytask.tuning.stacking import HeldOut, _on_simplex, stack

cvxpy = pytest.importorskip("cvxpy")


def test_the_quadratic_program_is_solved(rng):
    for rank in (2, 5, 8):
        A = rng.normal(size=(rank, 5))
        G, b = A.T @ A, A.T @ rng.normal(size=rank)
        a = _on_simplex(G, b)
        assert (a >= 0).all()
        assert a.sum() == pytest.approx(1.0, abs=1e-12)
        x = cvxpy.Variable(5, nonneg=True)
        value = cvxpy.Minimize(0.5 * cvxpy.sum_squares(A @ x) - b @ x)
        best = cvxpy.Problem(value, [cvxpy.sum(x) == 1]).solve()
        assert 0.5 * a @ G @ a - b @ a == pytest.approx(best, abs=1e-4)


def held(F, y, code):
    """Rows that differ, of equal weight."""
    n, place = len(y), np.arange(len(y))
    spare = np.bincount(code)[code]
    return HeldOut(F, y, np.full(n, 1 / n), code, np.ones(n), place, code, place % 5, spare)


def predictions(rng, m, n):
    """Two models: the first is right in the first half of the tasks, the second in the others."""
    code = np.repeat(np.arange(m), n)
    truth = rng.normal(size=(m * n, 2))
    y = truth[np.arange(m * n), (code >= m // 2).astype(int)]
    return truth, y + rng.normal(size=m * n), code


def test_one_model_that_is_right_gets_all(rng):
    F, _, code = predictions(rng, 10, 20)
    found = stack(held(F, F[:, 0], code), Squared(), 10)
    np.testing.assert_allclose(found.weights[:, 0], 1.0, atol=1e-6)
    assert found.tau == np.inf


def test_tasks_have_weights_of_their_own_where_rows_tell(rng):
    F, y, code = predictions(rng, 10, 40)
    found = stack(held(F, y, code), Squared(), 10)
    assert np.isfinite(found.tau)
    assert (found.weights[:5, 0] > 0.6).all()
    assert (found.weights[5:, 1] > 0.6).all()
    same = stack(held(F, y, code), Squared(), 10, own_weights=False)
    np.testing.assert_allclose(same.weights, np.tile(same.common, (10, 1)), rtol=1e-12)


def test_noise_is_not_chased(rng):
    code = np.repeat(np.arange(20), 15)
    F = rng.normal(size=(300, 1)) + 0.3 * rng.normal(size=(300, 4))
    y = F.mean(axis=1) + rng.normal(size=300)
    found = stack(held(F, y, code), Squared(), 20)
    assert np.abs(found.weights - found.common).max() < 0.35
    assert found.common.max() < 0.7


def test_a_model_without_predictions_in_a_task_is_not_used_there(rng):
    F, y, code = predictions(rng, 6, 10)
    F[code == 2, 0] = np.nan
    found = stack(held(F, y, code), Squared(), 6)
    assert found.weights[2].tolist() == [0.0, 1.0]
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)


def test_labels(rng):
    f = rng.normal(size=600) * 2
    y = (rng.random(600) < 1 / (1 + np.exp(-f))).astype(float)
    F = np.column_stack([f, rng.normal(size=600) * 2, -f])
    code = np.repeat(np.arange(10), 60)
    found = stack(held(F, y, code), Logistic(), 10)
    assert found.common[0] > 0.8
    assert found.common[2] < 0.05


def test_rows_that_no_model_held_out_change_no_weight(rng):
    """Of rows in time the first half is never held out; all tasks then had equal weights."""
    y, code = rng.normal(size=200), np.repeat(np.arange(10), 20)
    F = y[:, None] + np.array([0.2, 1.0, 1.0]) * rng.normal(size=(200, 3))
    tested = np.arange(200) % 20 >= 10
    whole = held(np.where(tested[:, None], F, np.nan), y, code)
    found, part = (stack(each, Squared(), 10) for each in (whole, whole.subset(tested)))
    np.testing.assert_allclose(found.weights, part.weights)
    assert found.common[0] > 0.8
    assert (found.weights[:, 0] > 0.5).all()
