"""What must not matter: units, order of rows and tasks, repetition or weights, long or wide."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor
from tests.reml.worlds import draw

ALL = ["auto", "scalar", "diagonal", "factor", "full"]


def reml(covariance, task="task", **kwargs):
    return MeanRegularizedRegressor("reml", covariance=covariance, task=task, **kwargs)


@pytest.fixture
def sample(rng):
    X, y, _ = draw(rng, [4, 9, 12, 15, 20, 25], np.full(4, 0.6), np.ones(4))
    return X, y


@pytest.mark.parametrize("covariance", ALL)
def test_units_do_not_matter(sample, covariance):
    X, y = sample
    other = X.assign(x0=X["x0"] * 1e4, x1=X["x1"] * 1e-5)
    plain = reml(covariance).fit(X, y)
    scaled = reml(covariance).fit(other, 100.0 * y)
    mean, std = plain.predict(X, return_std=True)
    mean_scaled, std_scaled = scaled.predict(other, return_std=True)
    np.testing.assert_allclose(mean_scaled, 100.0 * mean, rtol=2e-4, atol=2e-2)
    np.testing.assert_allclose(std_scaled, 100.0 * std, rtol=2e-4)


@pytest.mark.parametrize("covariance", ALL)
def test_order_of_rows_and_names_of_tasks_do_not_matter(sample, covariance, rng):
    X, y = sample
    order = rng.permutation(len(y))
    renamed = X.assign(task=[f"t{9 - i}" for i in X["task"]])
    one = reml(covariance).fit(X, y).predict(X, return_std=True)
    two = reml(covariance).fit(renamed.iloc[order], y[order]).predict(renamed, return_std=True)
    np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("covariance", ALL)
def test_weights_count_rows(sample, covariance, rng):
    X, y = sample
    times = rng.integers(0, 3, len(y))
    times[:2] = 1
    again = np.repeat(np.arange(len(y)), times)
    weighted = reml(covariance, weights="count").fit(X, y, sample_weight=times)
    repeated = reml(covariance).fit(X.iloc[again], y[again])
    assert weighted.noise_variance_ == pytest.approx(repeated.noise_variance_, rel=1e-5)
    np.testing.assert_allclose(
        weighted.predict(X, return_std=True), repeated.predict(X, return_std=True), rtol=1e-3,
        atol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("covariance", ALL)
def test_wide_labels_are_the_long_table(covariance, rng):
    X = rng.normal(size=(40, 2))
    W = rng.normal(size=(5, 2))
    Y = X @ W.T + rng.normal(size=(40, 5))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    wide = reml(covariance, task=None).fit(X, Y)
    row, task = np.nonzero(~np.isnan(Y))
    long = pd.DataFrame(X[row], columns=["a", "b"]).assign(task=task)
    tall = reml(covariance).fit(long, Y[row, task])
    np.testing.assert_allclose(wide.coef_, tall.coef_, atol=1e-6)
    mean, std = wide.predict(X, return_std=True)
    assert mean.shape == std.shape == Y.shape
    mean_long, std_long = tall.predict(long, return_std=True)
    np.testing.assert_allclose(mean[row, task], mean_long, atol=1e-6)
    np.testing.assert_allclose(std[row, task], std_long, atol=1e-6)


def test_the_answer_is_the_penalized_optimum_of_its_strengths(sample):
    X, y = sample
    found = reml("diagonal", alpha_common=0).fit(X, y)
    alpha = np.minimum(found.alpha_, 1e6)  # inf: no deviation at all
    given = MeanRegularizedRegressor(
        alpha, alpha_intercept=min(found.alpha_intercept_, 1e6), task="task", task_weight="size"
    ).fit(X, y)
    np.testing.assert_allclose(given.coef_, found.coef_, atol=1e-6)
    assert given.objective_ == pytest.approx(found.objective_, rel=1e-6)


def test_fit_leaves_parameters_alone(sample):
    model = reml("auto")
    before = model.get_params()
    model.fit(*sample)
    assert model.get_params() == before
    assert model.covariance_ in ("scalar", "diagonal")
