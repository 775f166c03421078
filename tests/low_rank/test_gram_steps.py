"""The system of Newton's method beside differences of the objective."""

import numpy as np
import pytest

from polytask.solvers.low_rank.gram_steps import Prior, _newton_matrix, head_step, newton_system
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
