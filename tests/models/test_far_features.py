"""Features far from zero (a year, Kelvin, seconds since 1970) cost no digits and no accuracy."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone

from polytask import (
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)

FAR = [*(pytest.param(near, marks=pytest.mark.slow) for near in (30.0, 700.0)), 1e4]
REGRESSORS = [
    SingleTaskRegressor(),
    PooledRegressor(),
    TaskInterceptRegressor(),
    MeanRegularizedRegressor(),
    MeanRegularizedRegressor(0.02, alpha_intercept=0.1),
    MeanRegularizedRegressor("reml"),
    MeanRegularizedRegressor("reml", covariance="full"),
    MeanRegularizedRegressor("reml", covariance="factor"),
    LowRankRegressor(0.02, alpha_intercept=0.1),
    ProjectedLowRankRegressor(0.02, alpha_intercept=0.1),
    ProjectedMeanRegularizedRegressor(0.02, n_components=1),
]
CLASSIFIERS = [
    MeanRegularizedClassifier(0.02),
    MeanRegularizedClassifier("reml"),
    LowRankClassifier(0.01),
]


@pytest.fixture
def world(rng):
    """12 tasks that differ in level and slopes; the features' means are exactly zero."""
    task = np.repeat(np.arange(12), 20)
    a, b = rng.normal(size=(2, 240))
    a, b = a - a.mean(), b - b.mean()
    own = rng.normal(size=(12, 3)) * [0.5, 0.3, 0.8]
    f = 1 + (1 + own[task, 0]) * a + (own[task, 1] - 2) * b + own[task, 2]
    return pd.DataFrame({"a": a, "b": b, "task": task}), f + rng.normal(size=240)


def moved(X, offset):
    return X.assign(a=X["a"] + offset)


@pytest.mark.parametrize("offset", FAR)
@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=repr)
def test_the_fit_is_that_of_centred_features(model, offset, world):
    X, y = world
    y = (y > 0).astype(int) if model in CLASSIFIERS else y
    near = model.set_params(task="task", tol=1e-9).fit(X, y)
    slopes, common = near.coef_, getattr(near, "common_intercept_", None)
    levels = near.intercept_
    answer = (near.predict_proba if model in CLASSIFIERS else near.predict)(X)
    far = model.fit(moved(X, offset), y)
    assert far.status_ == "solved"
    # rounding of the feature itself is 1e-12 of its spread at 1e4
    np.testing.assert_allclose(far.coef_, slopes, atol=2e-6)
    np.testing.assert_allclose(far.intercept_ + far.coef_[:, 0] * offset, levels, atol=1e-5)
    found = (far.predict_proba if model in CLASSIFIERS else far.predict)(moved(X, offset))
    np.testing.assert_allclose(found, answer, atol=1e-5)
    if common is not None and hasattr(far, "common_coef_"):
        back = far.common_intercept_ + far.common_coef_[0] * offset
        assert back == pytest.approx(common, abs=1e-5)


@pytest.mark.parametrize("covariance", ["scalar", "full"])
def test_standard_errors_do_not_ask_for_the_origin(covariance, world):
    X, y = world
    model = MeanRegularizedRegressor("reml", covariance=covariance, task="task", unseen="common")
    new = X.head(4).assign(task=99)
    near = model.fit(X, y)
    wanted = [near.predict(rows, return_std=True)[1] for rows in (X, new)]
    between = near.deviation_covariance_
    far = model.fit(moved(X, 700.0), y)
    found = [far.predict(moved(rows, 700.0), return_std=True)[1] for rows in (X, new)]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)
    at_mean = np.array([[1.0, 0, 0], [0, 1, 0], [700, 0, 1]])  # (a, b, level at x) from x = 0
    moved_back = at_mean @ far.deviation_covariance_ @ at_mean.T
    np.testing.assert_allclose(moved_back, between, rtol=1e-4, atol=1e-6)


def test_reml_finds_the_common_slope_behind_a_mean_of_ten_thousand_deviations(rng):
    """Six tasks: the variance of w0 counts in units of what the feature varies."""
    task, z = np.repeat(np.arange(6), 12), rng.normal(size=72)
    y = 2 * z + rng.normal(size=6)[task] + 0.5 * rng.normal(size=72)
    slopes = [
        MeanRegularizedRegressor("reml", task="task")
        .fit(pd.DataFrame({"z": z + offset, "task": task}), y)
        .common_coef_[0]
        for offset in (0.0, 1e4, 1e6)
    ]
    assert slopes[0] == pytest.approx(2.0, abs=0.3)
    np.testing.assert_allclose(slopes, slopes[0], rtol=5e-3)  # z's mean is near zero, not zero


@pytest.mark.parametrize("model", [MeanRegularizedRegressor(0.05), MeanRegularizedClassifier(0.05)])
def test_the_same_by_moments_parquet_and_float32(model, world, tmp_path):
    X, y = world
    y = (y > 0).astype(int) if model in CLASSIFIERS or hasattr(model, "predict_proba") else y
    X = moved(X, 4096.0).astype({"a": np.float32, "b": np.float32})  # the same numbers in both
    model.set_params(task="task", task_weight="size")
    double = X.astype({"a": float, "b": float})
    wide = model.fit(double, y)
    coef, level = wide.coef_, wide.intercept_
    narrow = model.fit(X, y)
    np.testing.assert_allclose(narrow.coef_, coef, atol=1e-9)
    pq.write_table(pa.table({**double, "y": y}), tmp_path / "rows.parquet")
    streamed = model.fit_parquet(tmp_path / "rows.parquet", target="y", client=False)
    np.testing.assert_allclose(streamed.coef_, coef, atol=1e-8)
    np.testing.assert_allclose(streamed.intercept_, level, rtol=1e-8)
    if hasattr(model, "partial_fit"):
        model = clone(model).partial_fit(double, y)
        np.testing.assert_allclose(model.coef_, coef, atol=1e-8)


@pytest.mark.parametrize("alpha", [0.02, "reml"])
def test_a_new_task_is_learned_about_the_mean(alpha, world):
    X, y = world
    old, new = X["task"] < 11, (X["task"] == 11).to_numpy()
    shown = np.flatnonzero(new)[:5]
    answers = []
    for offset in (0.0, 700.0):
        here = moved(X, offset - X.loc[old, "a"].mean())
        model = MeanRegularizedRegressor(alpha, task="task").fit(here[old], y[old])
        model.add_task(here.iloc[shown], y[shown])
        answers.append(model.predict(here[new]))
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)


def test_heads_of_new_tasks_on_frozen_directions(world):
    X, y = world
    rows = X.drop(columns="task").to_numpy()[:6]
    heads = []
    for offset in (0.0, 700.0):
        model = ProjectedLowRankRegressor(0.02, n_components=1, alpha_intercept=0.1, task="task")
        model.fit(moved(X, offset), y)
        here = rows + np.array([offset, 0.0])
        heads.append(model.fit_task(here, y[:6]).predict(here))
    np.testing.assert_allclose(heads[1], heads[0], atol=1e-5)


def test_without_an_intercept_nothing_is_moved(world):
    X, y = world
    far = moved(X, 30.0)
    model = SingleTaskRegressor(0.0, task="task", fit_intercept=False).fit(far, y)
    first = far["task"] == 0
    rows = far.loc[first, ["a", "b"]].to_numpy()
    np.testing.assert_allclose(model.coef_[0], np.linalg.lstsq(rows, y[first], rcond=None)[0])


def test_a_constant_feature_says_nothing(world):
    X, y = world
    plain = MeanRegularizedRegressor(0.02, task="task").fit(X, y)
    both = MeanRegularizedRegressor(0.02, task="task").fit(X.assign(c=0.1).iloc[:, [0, 1, 3, 2]], y)
    assert (both.coef_[:, 2] == 0).all()
    np.testing.assert_allclose(both.coef_[:, :2], plain.coef_, atol=1e-10)
