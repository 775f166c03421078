"""A problem built from its answer has that answer, found here by independent solvers."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from polytask.datasets import make_from_answer


def blocks(X, y):
    """Yield (X_i, y_i) in the order of the tasks."""
    for task, rows in X.groupby("task"):
        yield rows.drop(columns="task").to_numpy(), y[X["task"] == task]


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_finds_the_answer(rng, fit_intercept):
    W, alpha = rng.standard_normal((3, 4)), 0.3
    X, y, _ = make_from_answer(W, 2 * alpha * W, n_rows=(6, 30), random_state=0)
    for w, (X_i, y_i) in zip(W, blocks(X, y), strict=True):
        # alpha ‖w‖² beside a mean over 3 tasks of means over n rows of half squares.
        ridge = Ridge(alpha=2 * 3 * len(y_i) * alpha, fit_intercept=fit_intercept).fit(X_i, y_i)
        np.testing.assert_allclose(ridge.coef_, w, atol=1e-10)
        assert abs(ridge.intercept_) < 1e-10


def test_mean_regularized_optimum_by_cvxpy():
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    random = np.random.default_rng(0)
    alpha, alpha_common, common = 0.2, 0.05, random.standard_normal(3)
    deviations = random.standard_normal((4, 3))
    deviations += (alpha_common * common / alpha - deviations.sum(axis=0)) / 4
    X, y, _ = make_from_answer(common + deviations, 2 * alpha * deviations, random_state=0)
    w0, D = cvxpy.Variable(3), cvxpy.Variable((4, 3))
    risk = sum(
        cvxpy.sum_squares(y_i - X_i @ (w0 + D[i])) / (2 * 4 * len(y_i))
        for i, (X_i, y_i) in enumerate(blocks(X, y))
    )
    penalty = alpha * cvxpy.sum_squares(D) + alpha_common * cvxpy.sum_squares(w0)
    cvxpy.Problem(cvxpy.Minimize(risk + penalty)).solve(solver=cvxpy.CLARABEL)
    np.testing.assert_allclose(w0.value, common, atol=1e-5)
    np.testing.assert_allclose(D.value, deviations, atol=1e-5)


def test_noise_does_not_move_the_answer_but_the_labels():
    W = np.ones((2, 3))
    quiet = make_from_answer(W, W, noise=0.0, random_state=0)
    noisy = make_from_answer(W, W, noise=5.0, random_state=0)
    assert not np.allclose(quiet[1], noisy[1])
    for X, y, _ in (quiet, noisy):
        for X_i, y_i in blocks(X, y):
            gradient = X_i.T @ (X_i @ np.ones(3) - y_i) / (2 * len(y_i))
            np.testing.assert_allclose(gradient, -np.ones(3), atol=1e-10)


def test_wrong_shapes_and_too_few_rows_are_named():
    with pytest.raises(ValueError, match=r"penalty_gradient must have the shape of coef"):
        make_from_answer(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"n_rows must be at least n_features \+ 2 = 5; got 4"):
        make_from_answer(np.ones((2, 3)), np.ones((2, 3)), n_rows=4)
