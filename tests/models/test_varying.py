"""``varying``: the coefficients of mean-regularized models that may differ between tasks."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor, MultilevelRegressor

M, D = 12, 3
ALPHA, COMMON, LEVEL = 0.05, 0.02, 0.3
GIVEN = {"alpha_common": COMMON, "alpha_intercept": LEVEL, "task": "g", "task_weight": "size"}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(M), 9)
    X = pd.DataFrame(rng.normal(size=(len(g), D)) + 0.5, columns=["a", "b", "c"]).assign(g=g)
    y = X[["a", "b", "c"]].to_numpy() @ [1.0, 2.0, -1.0] + rng.normal(size=M)[g]
    y += 0.7 * rng.normal(size=M)[g] * X["a"] + rng.normal(size=len(g))
    return X, y.to_numpy()


def expanded(X):
    """Columns of w0, b0, of the tasks' deviations of a, and of their levels; half their ridges."""
    own = np.eye(M)[X["g"]]
    one = np.ones((len(X), 1))
    Z = np.hstack([X[["a", "b", "c"]].to_numpy(), one, own * X[["a"]].to_numpy(), own])
    return Z, np.r_[np.full(D, COMMON), 0.0, np.full(M, ALPHA), np.full(M, LEVEL)]


def test_given_strengths_reach_the_optimum_of_the_expanded_design(rows):
    X, y = rows
    Z, ridge = expanded(X)
    w = np.linalg.solve(Z.T @ Z / len(y) + 2 * np.diag(ridge), Z.T @ y / len(y))
    model = MeanRegularizedRegressor(ALPHA, varying=["a"], **GIVEN).fit(X, y)
    np.testing.assert_allclose(model.predict(X), Z @ w, atol=1e-9)
    np.testing.assert_allclose(model.deviation_coef_[:, 0], w[D + 1 : D + 1 + M], atol=1e-9)
    assert not model.deviation_coef_[:, 1:].any()
    places = MeanRegularizedRegressor(ALPHA, varying=[0], **{**GIVEN, "task": D})
    np.testing.assert_array_equal(places.fit(X.to_numpy(), y).coef_, model.coef_)


def test_so_do_those_of_labels(rows):
    X, y = rows
    labels = (y > 0).astype(int)
    Z, ridge = expanded(X)
    sign = 2 * labels - 1

    def objective(w):
        margin = sign * (Z @ w)
        slope = -(Z.T @ (sign / (1 + np.exp(margin)))) / len(y) + 2 * ridge * w
        return np.logaddexp(0, -margin).mean() + ridge @ w**2, slope

    best = minimize(objective, np.zeros(Z.shape[1]), jac=True, options={"gtol": 1e-9})
    model = MeanRegularizedClassifier(ALPHA, varying=["a"], **GIVEN).fit(X, labels)
    np.testing.assert_allclose(model.decision_function(X), Z @ best.x, atol=1e-5)


def test_strengths_are_chosen_by_the_rows_left_out_of_that_model(rows):
    X, y = rows
    model = MeanRegularizedRegressor("cv", varying=["a"], **GIVEN).fit(X, y)
    Z, ridge = expanded(X)
    for place in (0, len(model.alpha_path_) // 2):
        ridge[D + 1 : D + 1 + M] = model.alpha_path_[place]
        hat = Z @ np.linalg.solve(Z.T @ Z + 2 * len(y) * np.diag(ridge), Z.T)
        left_out = (y - hat @ y) / (1 - np.diag(hat))
        assert -model.cv_scores_[place] == pytest.approx(0.5 * (left_out**2).mean(), rel=1e-8)


@pytest.mark.parametrize("varying", [[], ["a"]])
def test_variances_are_those_of_lme4s_formula(rows, varying):
    X, y = rows
    how = {"varying": varying, "covariance": "diagonal", "alpha_common": 0, "task": "g"}
    model = MeanRegularizedRegressor("reml", **how).fit(X, y)
    other = MultilevelRegressor("reml", **how).fit(X, y)
    assert model.deviance_ == pytest.approx(other.deviance_, abs=1e-6)
    variances = np.diag(model.deviation_covariance_)
    np.testing.assert_allclose(variances, other.variances_["g"], rtol=1e-4)
    assert (variances[:D] > 0).tolist() == [name in varying for name in "abc"]
    full = MeanRegularizedRegressor("reml", **{**how, "covariance": "full"}).fit(X, y)
    assert not full.deviation_covariance_[1:D].any()
    assert full.deviance_ <= model.deviance_ + 1e-8


@pytest.mark.parametrize("alpha", ["auto", "cv", 0.1])
def test_what_must_not_deviate_does_not_in_an_added_task_either(rows, alpha):
    X, y = rows
    model = MeanRegularizedRegressor(alpha, varying=["a"], task="g").fit(X, y)
    model.add_task(X.head(5).assign(g=99), y[:5])
    assert not model.deviation_coef_[:, 1:].any()
    assert model.deviation_coef_[-1, 0] != 0.0


def test_moments_give_the_same(rows):
    X, y = rows
    model = MeanRegularizedRegressor(ALPHA, varying=["a"], **GIVEN)
    known = clone(model).fit(X, y).coef_
    for part in (slice(0, 50), slice(50, None)):
        model.partial_fit(X[part], y[part])
    np.testing.assert_allclose(model.coef_, known, atol=1e-9)


def test_names_must_be_features_and_something_must_deviate(rows):
    X, y = rows
    for wrong in (["nope"], ["g"], [7]):
        with pytest.raises(ValueError, match="varying must name features; got"):
            MeanRegularizedRegressor(varying=wrong, task="g").fit(X, y)
    with pytest.raises(ValueError, match="varying must name a feature where fit_intercept=False"):
        MeanRegularizedRegressor(varying=[], task="g", fit_intercept=False).fit(X, y)
