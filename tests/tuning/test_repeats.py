"""What leaves with a row, and that the size of weights does not matter."""

import numpy as np
import pandas as pd
import pytest

from polytask import (
    AutoMultiTaskRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    SingleTaskRegressor,
)
from polytask.data.kept import kept
from polytask.responses import Binomial
from polytask.tuning import LeaveOneOut, deviation_grid, repeats
from tests.responses.test_leave_one_out import refitted_risk
from tests.solvers.helpers import make_data, mean_regularized, random_tasks


def few_rows():
    rng = np.random.default_rng(3)
    g, B = np.repeat(np.arange(15), 14), rng.normal(size=10) + 0.3 * rng.normal(size=(15, 10))
    x = rng.normal(size=(210, 10))
    X = pd.DataFrame(x).rename(columns=str).assign(g=g)
    return X, (x * B[g]).sum(1) + 2 * rng.normal(size=210)


@pytest.mark.parametrize("alpha", ["cv", "reml"])
@pytest.mark.parametrize("factor", [1000.0, 1000.5, 0.25])
def test_multiplying_all_weights_changes_nothing(alpha, factor):
    """A thousand copies of a row told leave-one-out its target: the penalty was off (RMSE * 5)."""
    X, y = few_rows()
    plain = MeanRegularizedRegressor(alpha, task="g").fit(X, y)
    many = MeanRegularizedRegressor(alpha, task="g").fit(X, y, sample_weight=np.full(210, factor))
    np.testing.assert_allclose(many.coef_, plain.coef_, rtol=1e-6, atol=1e-8)
    w = np.random.default_rng(0).integers(1, 4, 210)
    one = MeanRegularizedRegressor(alpha, task="g").fit(X, y, sample_weight=w)
    other = MeanRegularizedRegressor(alpha, task="g").fit(X, y, sample_weight=factor * w)
    np.testing.assert_allclose(other.coef_, one.coef_, rtol=1e-5, atol=1e-7)


def test_copies_leave_together():
    X, y = few_rows()
    again = np.random.default_rng(1).integers(1, 5, 210)
    rows = np.repeat(np.arange(210), again)
    copied = MeanRegularizedRegressor(task="g").fit(X.iloc[rows], y[rows])
    weighted = MeanRegularizedRegressor(task="g").fit(X, y, sample_weight=again)
    np.testing.assert_allclose(copied.coef_, weighted.coef_, rtol=1e-6)
    once = MeanRegularizedRegressor(task="g").fit(X, y)
    assert copied.alpha_ > 0.2 * once.alpha_  # it was at the weakest end of the grid


@pytest.mark.parametrize("n_whole", [1, 15])
def test_a_task_of_copies_is_a_task_of_one_row(n_whole):
    """One such task left no strength with an estimated risk, and no single-task model."""
    X, y = few_rows()
    whole = X["g"] < n_whole
    one = whole & (X.groupby("g").cumcount() > 0)
    rows = np.where(one, X.groupby("g")["g"].transform(lambda g: g.index[0]), np.arange(210))
    copied = SingleTaskRegressor(task="g", task_weight="equal").fit(X.iloc[rows], y[rows])
    once = SingleTaskRegressor(task="g", task_weight="equal").fit(X[~one], y[~one])
    np.testing.assert_allclose(copied.alpha_, once.alpha_, rtol=1e-6)
    np.testing.assert_allclose(copied.predict(X), once.predict(X), rtol=1e-6)
    weighs = AutoMultiTaskRegressor(
        ["single-task", "mean-regularized"], task="g", gross_rows="learn"
    )
    assert np.isfinite(weighs.fit(X.iloc[rows], y[rows]).predict(X)).all()


def test_counts_of_a_table_of_categories_are_rows_of_their_own():
    """Cells of a table: 0 and 1 recur with the same feature, and equal rows tell no target."""
    rng = np.random.default_rng(5)
    n, rate = rng.integers(3, 20, (12, 2)), rng.uniform(0.2, 0.8, (12, 2))
    ones = rng.binomial(n, rate)
    cells = [
        (i, float(x), label, k)
        for i in range(12) for x in (0, 1)
        for label, k in ((1, ones[i, x]), (0, n[i, x] - ones[i, x])) if k
    ]  # fmt: skip
    D = pd.DataFrame(cells, columns=["g", "x", "y", "k"])
    long = D.loc[D.index.repeat(D["k"])]
    model = MeanRegularizedClassifier(task="g")
    X = D[["x", "g"]]
    weighted = model.fit(X, D["y"], sample_weight=D["k"]).decision_function(X)
    repeated = model.fit(long[["x", "g"]], long["y"]).decision_function(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)
    assert model.alpha_intercept_ < 0.1  # shops differ; cells left out whole would pool them


def test_rows_of_different_categories_do_not_leave_together():
    """Three categories of one size, as columns of zeros and ones, and a number: every row is once,
    though sums over its columns recur with the label."""
    rng = np.random.default_rng(0)
    ids, category = np.repeat(np.arange(6), 30), np.tile(np.repeat(np.arange(3), 10), 6)
    x = np.tile(np.arange(10.0), 18)
    X, y = np.column_stack([np.eye(3)[category], x]), rng.integers(0, 2, 180).astype(float)
    np.testing.assert_array_equal(repeats(make_data(X, y, ids)), 1.0)


def cells_of_trials(seed: int):
    """Herds measured a few times each, features recurring; shares vary more than trials alone."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(6, 18))
    ids = np.repeat(np.arange(m), rng.integers(2, 7, m))
    X = rng.integers(0, 2, (len(ids), 1 + seed % 2)).astype(float)
    f = -1 + 0.8 * rng.normal(size=m)[ids] + 0.5 * X[:, 0] + 0.4 * rng.normal(size=len(ids))
    size = rng.integers(2, 40, len(ids))
    return X, rng.binomial(size, 1 / (1 + np.exp(-f))) / size, ids, size.astype(float)


@pytest.mark.slow
def test_rows_of_trials_leave_whole_and_choose_as_refits_do():
    """One trial of many told the others' share: the penalty was off where herds hardly differ."""
    response, wrong = Binomial(), 0
    for seed in range(30):
        X, y, ids, size = cells_of_trials(seed)
        data = make_data(X, y, ids, sample_weight=size)
        grid = deviation_grid(data, response, 12)[::2]
        makes = [lambda part, a=a: mean_regularized(part, a, 0.001, a, response) for a in grid]
        quick = np.array([LeaveOneOut(1e-8, 100)(make(data)) for make in makes])
        exact = np.array([refitted_risk(make(data), make, response) for make in makes])
        assert exact[np.argmin(quick)] <= 1.01 * exact.min()
        assert quick.min() == pytest.approx(exact.min(), rel=1e-3)
        trials = make_data(X, y, ids, sample_weight=size)
        kept(trials, ("repeats",), lambda size=size: size)  # as if one of them left
        one = np.array([LeaveOneOut(1e-8, 100)(make(trials)) for make in makes])
        wrong += exact[np.argmin(one)] > 1.01 * exact.min()
    assert wrong > 20  # of one trial less: the problems tell the two apart


@pytest.mark.parametrize("fraction", [True, False])
def test_weights_of_shares_and_rates_are_measures_of_one_row(fraction):
    X, y, ids, size = cells_of_trials(1)
    y = y if fraction else np.round(y)
    data = make_data(X, y, ids, sample_weight=size)
    expected = np.ones(len(y)) if fraction else size
    np.testing.assert_array_equal(repeats(data), expected)


@pytest.mark.parametrize("copied", [0, 1, 2])
def test_rows_of_one_target_are_told_apart_by_their_features(copied):
    """Rounded targets recur in a task; only where features recur too do rows leave together."""
    X, y, ids = random_tasks(np.random.default_rng(4), [400, 300], 4)
    y = np.round(y, 2)
    y[5 : 5 + copied], X[5 : 5 + copied] = y[20 : 20 + copied], X[20 : 20 + copied]
    assert len(np.unique(y[:400])) < 400 - copied  # others recur as well
    expected = np.ones(700)
    expected[[*range(5, 5 + copied), *range(20, 20 + copied)]] = 0.5
    np.testing.assert_array_equal(repeats(make_data(X, y, ids)), expected)


def test_copies_are_copies_where_a_feature_of_theirs_is_rounding():
    """In a column of ones a zero and 6e-17, such as the cosine of a right angle, are one value."""
    X, y, ids = random_tasks(np.random.default_rng(4), [400, 300], 4)
    y[5:15], X[5:15] = y[25:35], X[25:35]
    X[5:15, 1], X[25:35, 1] = 6e-17, 0.0
    expected = np.ones(700)
    expected[[*range(5, 15), *range(25, 35)]] = 0.5
    np.testing.assert_array_equal(repeats(make_data(X, y, ids)), expected)


def test_features_in_float32_may_be_zero_in_rows_of_one_target():
    """Their largest value there was divided by itself, with numpy's warning."""
    X, y, ids = random_tasks(np.random.default_rng(4), [400, 300], 4)
    X[:, 1], y[5] = 0.0, y[25]
    np.testing.assert_array_equal(repeats(make_data(X.astype(np.float32), y, ids)), 1.0)
