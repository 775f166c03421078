"""What leaves with a row, and that the size of weights does not matter."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.tuning import repeats
from tests.solvers.helpers import make_data


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
