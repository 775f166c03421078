"""Columns that are nearly alike: what is called stationary survives a descent in another basis."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from polytask import (
    LowRankRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedRegressor,
)

M, N, D, RANK = 8, 25, 6, 2


def draw(seed, gap):
    """Two columns ``gap`` apart, whose difference matters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(M, N, D))
    X[:, :, 1] = X[:, :, 0] + gap * X[:, :, 1]
    V = rng.normal(size=(RANK, D))
    V[:, 1] /= gap
    V[:, 0] -= V[:, 1]
    W = rng.normal(size=(M, RANK)) @ V
    noise = 0.3 if seed % 2 else 3.0
    y = np.einsum("mnd,md->mn", X, W) + noise * rng.normal(size=(M, N))
    table = np.column_stack([X.reshape(-1, D), np.repeat(np.arange(M), N)])
    return X, y, table


def descent(X, y, coef) -> float:
    """L-BFGS on A and V in orthonormal features, from given coefficients and from others."""
    X, y = X - X.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    R = np.linalg.qr(X.reshape(-1, D))[1] / np.sqrt(M * N)
    Q = X @ np.linalg.inv(R)

    def value(at):
        A, V = at[: M * RANK].reshape(M, RANK), at[M * RANK :].reshape(RANK, D)
        left = np.einsum("mnd,md->mn", Q, A @ V) - y
        G = np.einsum("mnd,mn->md", Q, left) / (M * N)
        slope = np.concatenate([(G @ V.T).ravel(), (A.T @ G).ravel()])
        return 0.5 * (left**2).sum() / (M * N), slope

    U, s, Vt = np.linalg.svd(coef @ R.T, full_matrices=False)
    starts = [np.concatenate([(U[:, :RANK] * s[:RANK]).ravel(), Vt[:RANK].ravel()])]
    starts += [np.random.default_rng(k).normal(size=(M + D) * RANK) for k in range(2)]
    options = {"maxiter": 5000, "maxfun": 10000, "ftol": 1e-15, "gtol": 1e-12}
    return min(
        minimize(value, at, jac=True, method="L-BFGS-B", options=options).fun for at in starts
    )


@pytest.mark.parametrize("gap", [1e-6, 1e-8])
@pytest.mark.parametrize("seed", [4, 5])
def test_a_limit_on_the_rank_ends_where_no_descent_leads_further_down(seed, gap):
    X, y, table = draw(seed, gap)
    given = {"alpha": 0.0, "penalty": "rank", "alpha_intercept": 0.0, "task": D}
    model = LowRankRegressor(max_rank=RANK, **given).fit(table, y.ravel())
    assert (model.status_, model.certificate_, model.rank_) == ("solved", "stationary", RANK)
    assert model.objective_ <= descent(X, y, model.coef_) * (1 + 1e-6)
    error = (y.ravel() - model.predict(table)) ** 2
    assert model.objective_ == pytest.approx(0.5 * error.mean(), rel=1e-6)
    projected = ProjectedLowRankRegressor(n_components=RANK, **given).fit(table, y.ravel())
    error = (y.ravel() - projected.predict(table)) ** 2
    assert model.objective_ == pytest.approx(0.5 * error.mean(), rel=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        ProjectedMeanRegularizedRegressor(0.0, n_components=RANK, alpha_common=0.0, task=D),
        LowRankRegressor(1e-20, max_rank=RANK, alpha_intercept=0.0, task=D),
    ],
)
def test_where_the_basis_counts_what_it_hides_is_not_called_solved(model):
    X, y, table = draw(4, 1e-8)
    with pytest.warns(ConvergenceWarning, match="nearly collinear"):
        model.fit(table, y.ravel())
    assert descent(X, y, model.coef_) < 0.99 * model.objective_


def test_columns_that_are_clear_are_left_as_they_are():
    _, y, table = draw(4, 1.0)
    model = LowRankRegressor(1e-20, max_rank=RANK, alpha_intercept=0.0, task=D)
    assert model.fit(table, y.ravel()).status_ == "solved"
