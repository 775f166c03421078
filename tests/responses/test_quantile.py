"""Quantiles: within the bound of the least pinball loss, by a linear program."""

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import linprog

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor
from polytask.inspection import compare_tasks, default_estimators
from polytask.responses import Quantile


def skewed(n=200, m=4, seed=0):
    """A long table, task column last; noise of more spread where the first feature is positive."""
    rng = np.random.default_rng(seed)
    task, X = np.arange(n) % m, rng.normal(size=(n, 2))
    noise = rng.standard_t(3, size=n) * (1 + (X[:, 0] > 0))
    return np.column_stack([X, task]), X @ [1.0, -0.5] + 0.5 * task + noise


def least_pinball(Z, y, q):
    """Mean loss of the best coefficients: min q u + (1 - q) v with y - Z b = u - v."""
    n, p = Z.shape
    cost = np.concatenate([np.zeros(p), np.full(n, q), np.full(n, 1 - q)]) / n
    A = np.hstack([Z, np.eye(n), -np.eye(n)])
    bounds = [(None, None)] * p + [(0, None)] * (2 * n)
    return linprog(cost, A_eq=A, b_eq=y, bounds=bounds).fun


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_loss_is_within_its_bound_of_the_least(q):
    X, y = skewed()
    model = SingleTaskRegressor(0, loss=f"quantile({q})").fit(X[:, :2], y)
    loss = model.response_
    found = loss.pinball(y, model.predict(X[:, :2])).mean()
    least = least_pinball(np.column_stack([X[:, :2], np.ones(len(y))]), y, q)
    assert least <= found <= least + loss.width / 4
    assert found < 1.001 * least
    assert model.violation_ < 1e-8
    assert np.mean(y < model.predict(X[:, :2])) == pytest.approx(q, abs=0.02)
    assert loss.width == pytest.approx(loss.scale / 64)


def test_mean_regularized_is_near_the_exact_optimum():
    X, y = skewed(n=80)
    q, a = 0.8, 0.05
    model = MeanRegularizedRegressor(
        a, alpha_intercept=a, alpha_common=0, task=2, loss=Quantile(q, width=0.01)
    ).fit(X, y)
    Z, task = np.column_stack([X[:, :2], np.ones(len(y))]), X[:, 2].astype(int)
    w0, D = cp.Variable(3), cp.Variable((4, 3))
    r = y - Z @ w0 - cp.sum(cp.multiply(Z, np.eye(4)[task] @ D), axis=1)
    loss = cp.sum(cp.maximum(q * r, (q - 1) * r)) / len(y)
    least = cp.Problem(cp.Minimize(loss + a * cp.sum_squares(D))).solve()
    penalty = a * (model.deviation_coef_**2).sum()
    penalty += a * ((model.intercept_ - model.common_intercept_) ** 2).sum()
    found = model.response_.pinball(y, model.predict(X)).mean() + penalty
    assert least - 1e-7 <= found <= least + 0.01 / 4
    assert model.response_ == Quantile(q, width=0.01)


def test_quantiles_do_not_move_with_units():
    X, y = skewed()
    one = PooledRegressor(0.01, task=2, loss="quantile(0.9)").fit(X, y).predict(X)
    model = PooledRegressor(0.01 / 1000, task=2, loss="quantile(0.9)")
    np.testing.assert_allclose(model.fit(X, 1000.0 * y).predict(X), 1000.0 * one, rtol=1e-5)


def test_a_comparison_is_of_the_pinball_loss():
    X, y = skewed(n=120)
    models = default_estimators("regression", 2, "quantile(0.9)")
    some = {name: models[name] for name in ("single-task", "pooled", "gradient-boosting")}
    found = compare_tasks(some, X, y, task=2, cv=3)
    assert found.metric == "pinball_tasks"
    assert found.loss_title == "pinball loss at 0.9"
    shown = found.models.set_index("name")
    assert (shown["status"] == "ok").all()
    assert shown.loc["pooled", "pinball_rows"] < np.quantile(np.abs(y - np.median(y)), 0.5)


@pytest.mark.parametrize("text", ["quantile(1.5)", "quantile(0)"])
def test_a_quantile_is_a_share(text):
    X, y = skewed(n=40)
    with pytest.raises(ValueError, match="q must be between 0 and 1"):
        PooledRegressor(0.1, loss=text).fit(X, y)


def test_targets_that_a_line_meets_exactly_are_fitted():
    """Residuals of nothing but rounding made slopes of 1e-8, and the fit ran to max_iter."""
    X = np.repeat([[1.0, 3.0], [2.0, 1.0], [3.0, 3.0]], [4, 4, 2], axis=0)
    y = np.repeat([1.0, 2.0, 1.0], [4, 4, 2])
    model = MeanRegularizedRegressor(0.1, alpha_intercept=0.1, loss="quantile", task=0).fit(X, y)
    assert model.violation_ <= model.tol
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)


@pytest.mark.parametrize("q", [0.1, 0.9])
def test_targets_far_from_zero_have_their_quantiles(q, rng):
    """A band as wide as a share of the targets would be all of the noise."""
    X, y = rng.normal(size=(600, 2)), rng.exponential(size=600)
    model = PooledRegressor(0.001, loss=Quantile(q), tol=1e-6).fit(X, y + 1e6)
    assert (y + 1e6 < model.predict(X)).mean() == pytest.approx(q, abs=0.01)
