"""Ordered levels: optima by other roads, thresholds, probabilities, kappa."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import cohen_kappa_score
from statsmodels.miscmodels.ordinal_model import OrderedModel

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor
from polytask.inspection import compare_tasks
from polytask.model_selection import METRICS
from polytask.responses import Ordinal


def ratings(n=300, m=6, seed=0):
    """A long table, task column last, and ratings from 1 to 5."""
    rng = np.random.default_rng(seed)
    task, X = np.arange(n) % m, rng.normal(size=(n, 3))
    f = X @ [1.5, -0.5, 0.3] + 0.7 * rng.normal(size=m)[task] + rng.logistic(size=n)
    return np.column_stack([X, task]), 1.0 + np.digitize(f, [-2.0, -0.5, 0.7, 2.5])


def test_one_task_is_the_proportional_odds_model():
    """As MASS::polr 7.3-58.2 (R 4.2.2), whose log likelihood on these rows is -400.19377078."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = 1.0 + np.digitize(X @ [1.5, -0.5, 0.3] + rng.logistic(size=300), [-2.0, -0.5, 0.7, 2.5])
    ours = SingleTaskRegressor(0, loss="ordinal").fit(X, y)
    theirs = OrderedModel(y, X, distr="logit").fit(method="bfgs", disp=0, gtol=1e-9, maxiter=500)
    thresholds = np.array(ours.response_.thresholds) - ours.intercept_[0]
    np.testing.assert_allclose(ours.coef_[0], theirs.params[:3], atol=1e-5)
    np.testing.assert_allclose(
        thresholds, theirs.model.transform_threshold_params(theirs.params)[1:-1], atol=1e-5
    )
    assert 300 * ours.objective_ == pytest.approx(-theirs.llf, rel=1e-9)
    assert 300 * ours.objective_ == pytest.approx(400.19377078, abs=1e-7)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict(X), atol=1e-5)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X) @ np.arange(1, 6), atol=1e-4)


def test_thresholds_and_coefficients_are_a_joint_optimum():
    X, y = ratings(n=120, m=4)
    a, a0, a1 = 0.02, 0.01, 0.005
    model = MeanRegularizedRegressor(
        a, alpha_intercept=a1, alpha_common=a0, task=3, loss="ordinal"
    ).fit(X, y)
    Z, task = np.column_stack([X[:, :3], np.ones(len(X))]), X[:, 3].astype(int)
    k = y.astype(int) - 1

    def objective(flat):
        W = flat[:20].reshape(5, 4)
        theta = np.concatenate([[-np.inf], np.cumsum(np.r_[flat[20], np.exp(flat[21:])]), [np.inf]])
        f = ((W[0] + W[1:])[task] * Z).sum(axis=1)
        loss = -np.log(expit(theta[k + 1] - f) - expit(theta[k] - f)).mean()
        own = a * (W[1:, :3] ** 2).sum() + a1 * (W[1:, 3] ** 2).sum()
        return loss + own + a0 * (W[0, :3] ** 2).sum()

    start = np.concatenate([np.zeros(20), [-1.0, 0.0, 0.0, 0.0]])
    found = minimize(objective, start, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
    assert model.objective_ == pytest.approx(found.fun, rel=1e-9)
    theta = np.cumsum(np.r_[found.x[20], np.exp(found.x[21:])])
    np.testing.assert_allclose(np.diff(model.response_.thresholds), np.diff(theta), atol=1e-4)
    np.testing.assert_allclose(model.common_coef_, found.x[:3], atol=1e-4)


def test_two_levels_are_shares_of_zero_and_one():
    X, y = ratings()
    two = (y > 3).astype(float)
    ordered = MeanRegularizedRegressor(0.05, task=3, loss="ordinal").fit(X, two)
    share = MeanRegularizedRegressor(0.05, task=3, loss="binomial").fit(X, two)
    np.testing.assert_allclose(ordered.coef_, share.coef_, atol=1e-6)
    np.testing.assert_allclose(ordered.predict(X), share.predict(X), atol=1e-7)


def test_levels_are_named_by_the_user():
    X, y = ratings()
    plain = PooledRegressor(0.01, task=3, loss="ordinal").fit(X, y)
    named = PooledRegressor(0.01, task=3, loss=Ordinal((0, 10, 20, 30, 50, 60)))
    other = np.array([10.0, 20, 30, 50, 60])[y.astype(int) - 1]
    p = named.fit(X, other).predict_proba(X)
    np.testing.assert_allclose(p[:, 0], 0.0, atol=1e-9)  # a level without rows
    np.testing.assert_allclose(p[:, 1:], plain.predict_proba(X), atol=1e-6)
    with pytest.raises(ValueError, match=r"one of levels.*got 5 in row 0"):
        named.fit(X, np.where(np.arange(len(y)) == 0, 5.0, other))


@pytest.mark.parametrize("loss", ["ordinal", "negative_binomial"])
def test_either_rule_is_the_one_that_a_learned_loss_has(loss):
    """Its parameter is learned after a fit, and yet no likelihood estimates it."""
    X, y = ratings(n=120, m=4)
    assert MeanRegularizedRegressor("auto", task=3, loss=loss).fit(X, y).alpha_rule_ == "cv"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones(60), "2 to 30 levels with loss='ordinal'; got 1"),
        (np.arange(60.0), "2 to 30 levels with loss='ordinal'; got 60"),
    ],
)
def test_bad_levels(y, message):
    with pytest.raises(ValueError, match=message):
        PooledRegressor(0.01, loss="ordinal").fit(np.ones((60, 1)), y)


def test_other_responses_have_no_probabilities():
    X, y = ratings(n=60)
    assert not hasattr(PooledRegressor(0.01, task=3).fit(X, y), "predict_proba")


def test_kappa_is_scikit_learns():
    rng = np.random.default_rng(0)
    y, task = rng.integers(1, 6, size=200), np.arange(200) % 3
    guess = np.clip(y + rng.normal(size=200), 1, 5)
    nearest = np.round(guess).astype(int)
    kappa = cohen_kappa_score(y, nearest, weights="quadratic")
    assert METRICS["kappa"].pooled(y, guess) == pytest.approx(kappa)
    first = cohen_kappa_score(y[task == 0], nearest[task == 0], weights="quadratic")
    assert METRICS["kappa"].per_task(y, guess, task)[0] == pytest.approx(first)


def test_a_comparison_says_kappa():
    X, y = ratings(n=120, m=4)
    models = {
        "single-task": SingleTaskRegressor(0.05, task=3, loss="ordinal"),
        "pooled": PooledRegressor(0.05, task=3, loss="ordinal"),
    }
    found = compare_tasks(models, X, y, task=3, cv=3).models.set_index("name").loc[list(models)]
    assert found["kappa_rows"].between(0.2, 1.0).all()
    assert found["rmse_rows"].between(0.5, 1.5).all()
