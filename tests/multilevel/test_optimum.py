"""The estimates by other roads: dense matrices, differences, a model of one grouping."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from polytask import (
    MeanRegularizedRegressor,
    MultilevelClassifier,
    MultilevelRegressor,
    PooledRegressor,
)
from polytask.datasets import make_crossed_rows
from polytask.mixed.crossed.laplace import CrossedLaplace
from polytask.mixed.crossed.rows import GroupedRows, Term
from polytask.mixed.root import Root
from polytask.responses import Logistic, Poisson

GROUPS = ["user", "item"]


def dense_deviance(X, Z, y, variances, noise, restricted=True):
    """Minus twice the log likelihood from the covariance of all rows, by its definition."""
    V = noise * np.eye(len(y)) + sum(v * z @ z.T for v, z in zip(variances, Z, strict=True))
    inverse = np.linalg.inv(V)
    inner = X.T @ inverse @ X
    e = y - X @ np.linalg.solve(inner, X.T @ inverse @ y)
    n = len(y) - restricted * X.shape[1]
    logs = np.linalg.slogdet(V)[1] + restricted * np.linalg.slogdet(inner)[1]
    return logs + e @ inverse @ e + n * np.log(2 * np.pi)


@pytest.mark.parametrize("alpha", ["reml", "ml"])
def test_variances_minimize_the_deviance_of_its_definition(alpha):
    table, y, _ = make_crossed_rows(150, {"user": 12, "item": 7}, 1, random_state=3)
    model = MultilevelRegressor(alpha, task=GROUPS, varying=[], alpha_common=0).fit(table, y)
    X = np.column_stack([table["x0"], np.ones(150)])
    Z = [pd.get_dummies(table[g], dtype=float).to_numpy() for g in GROUPS]

    def deviance(log_variances):
        *between, noise = np.exp(log_variances)
        return dense_deviance(X, Z, y, between, noise, alpha == "reml")

    found = np.array([*(model.variances_[g][-1] for g in GROUPS), model.noise_variance_])
    assert model.deviance_ == pytest.approx(deviance(np.log(found)), abs=1e-7)
    best = minimize(
        deviance, np.zeros(3), method="Nelder-Mead", options={"fatol": 1e-10, "xatol": 1e-7}
    )
    assert model.deviance_ == pytest.approx(best.fun, abs=1e-6)
    np.testing.assert_allclose(found, np.exp(best.x), rtol=1e-3)


def test_given_strengths_minimize_the_objective():
    """Normal equations of R + sum alpha ‖ΔW‖², written out."""
    table, y, _ = make_crossed_rows(80, {"user": 6, "item": 4}, 2, slope=(0.5, 0.2), random_state=0)
    alpha = {"user": 0.01, "item": np.array([0.02, 0.03, 0.005])}
    model = MultilevelRegressor(alpha, task=GROUPS).fit(table, y)
    X = np.column_stack([table[["x0", "x1"]], np.ones(80)])
    dummies = [pd.get_dummies(table[g], dtype=float).to_numpy() for g in GROUPS]
    Z = [(d[:, :, None] * X[:, None]).reshape(80, -1) for d in dummies]
    penalty = [np.zeros(3), np.full(18, 0.01), np.tile(alpha["item"], 4)]
    A = np.column_stack([X, *Z])
    best = np.linalg.solve(A.T @ A / 80 + 2 * np.diag(np.concatenate(penalty)), A.T @ y / 80)
    np.testing.assert_allclose(model.predict(table), A @ best, rtol=1e-9)
    np.testing.assert_allclose(model.deviations_["user"].ravel(), best[3:21], atol=1e-9)
    assert model.violation_ < 1e-12


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_one_grouping_is_the_mean_regularized_model(covariance):
    table, y, _ = make_crossed_rows(
        400, {"user": 25}, 2, level=(1.0,), slope=(0.4,), random_state=1
    )
    options = {"task": "user", "covariance": covariance, "alpha_common": 0}
    one = MultilevelRegressor(varying="all", **options).fit(table, y)
    other = MeanRegularizedRegressor("reml", **options).fit(table, y)
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-4)
    np.testing.assert_allclose(
        one.deviation_covariances_["user"], other.deviation_covariance_, atol=2e-4
    )
    assert one.noise_variance_ == pytest.approx(other.noise_variance_, rel=1e-4)


def test_infinite_strengths_pool():
    table, y, _ = make_crossed_rows(100, random_state=0)
    model = MultilevelRegressor({"user": np.inf, "item": np.inf}, task=GROUPS).fit(table, y)
    pooled = PooledRegressor(0.0, task="user", task_weight="size").fit(
        table.drop(columns="item"), y
    )
    np.testing.assert_allclose(model.common_coef_, pooled.coef_[0], rtol=1e-10)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("loss", [Logistic(), Poisson()], ids=lambda loss: loss.name)
def test_gradient_of_laplace_against_differences(loss, restricted):
    table, f, _ = make_crossed_rows(
        300, {"user": 20, "item": 6}, 1, level=(0.5, 0.3), slope=(0.3, 0), random_state=0, noise=0.1
    )
    rng = np.random.default_rng(0)
    y = (
        rng.poisson(np.exp(f - 1))
        if loss.name == "poisson"
        else rng.uniform(size=300) < 1 / (1 + np.exp(-f))
    )
    X = np.column_stack([table["x0"], np.ones(300)])
    terms = [
        Term(table["user"].to_numpy(), 20, np.arange(2)),
        Term(table["item"].to_numpy(), 6, np.array([1])),
    ]
    model = CrossedLaplace(
        GroupedRows(X, terms), X, y.astype(float), np.ones(300), loss, restricted, prior=0.1
    )
    roots = [Root.full(np.ones(2, dtype=bool)), Root.full(np.ones(1, dtype=bool))]
    t = np.array([0.6, 0.2, 0.9, 0.5])

    def at(t):
        return model([roots[0].at(t[:3]), roots[1].at(t[3:])])

    point = at(t)
    slopes = [2 * M @ L for M, L in zip(point.gradients, point.roots, strict=True)]
    exact = [slopes[0][0, 0], slopes[0][1, 0], slopes[0][1, 1], slopes[1][0, 0]]
    steps = 1e-4 * np.eye(4)
    differences = [(at(t + h).deviance - at(t - h).deviance) / 2e-4 for h in steps]
    np.testing.assert_allclose(exact, differences, rtol=1e-4, atol=1e-4)


def test_laplace_of_a_normal_likelihood_would_be_exact():
    """One level a row's worth of labels: the integral over a level, by quadrature."""
    rng = np.random.default_rng(0)
    user, level = np.repeat(np.arange(30), 40), rng.normal(size=30)
    y = (rng.uniform(size=1200) < 1 / (1 + np.exp(-level[user]))).astype(int)
    table = pd.DataFrame({"user": user})
    model = MultilevelClassifier("ml", task="user").fit(table, y)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    ones = np.bincount(user, y)

    def deviance(t):
        f = t[0] + np.exp(t[1]) * nodes
        log = ones[:, None] * f - 40 * np.logaddexp(0, f)
        top = log.max(axis=1)
        inside = np.exp(log - top[:, None]) @ weights / np.sqrt(2 * np.pi)
        return -2 * (top + np.log(inside)).sum()

    best = minimize(deviance, np.zeros(2), method="Nelder-Mead", options={"fatol": 1e-9})
    # 40 labels a level leave Laplace's approximation an error of some thousandths
    assert model.common_intercept_ == pytest.approx(best.x[0], abs=0.01)
    assert model.variances_["user"][-1] == pytest.approx(np.exp(2 * best.x[1]), rel=0.02)


@pytest.mark.parametrize("seed", [9, 36])
def test_a_full_covariance_that_loses_its_rank_is_found_in_few_steps(seed):
    r = np.random.default_rng(seed)
    schools, classes, pupils = 30, 4, 12
    school = np.repeat(np.arange(schools), classes * pupils)
    klass = np.tile(np.repeat(np.arange(classes), pupils), schools)
    X = pd.DataFrame({"x0": r.normal(size=len(school)), "x1": r.normal(size=len(school))})
    y = X["x0"] * (0.5 + 0.4 * r.normal(size=schools)[school]) + 0.3 * X["x1"]  # x1 is the same
    y += r.normal(size=schools)[school]
    y += 0.5 * r.normal(size=schools * classes)[school * classes + klass]
    y += r.normal(size=len(school))
    X["school"], X["class"] = school, klass
    fits = [
        MultilevelRegressor(
            task="school/class", varying={"school": names}, covariance="full", alpha_common=0
        ).fit(X[[*names, "school", "class"]], y.to_numpy())
        for names in (["x0", "x1"], ["x1", "x0"])
    ]
    assert [fit.status_ for fit in fits] == ["solved", "solved"]
    assert max(fit.n_iter_ for fit in fits) <= 40
    between = fits[0].deviation_covariances_["school"]
    assert np.linalg.eigvalsh(between)[0] < 1e-8 * np.trace(between)
    assert abs(fits[0].deviance_ - fits[1].deviance_) < 1e-7
    order = [1, 0, 2]
    swapped = fits[1].deviation_covariances_["school"][np.ix_(order, order)]
    np.testing.assert_allclose(between, swapped, atol=1e-5)
