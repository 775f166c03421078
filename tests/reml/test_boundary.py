"""Hard data: a variance of zero is an answer, and nothing is an error."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, PooledRegressor
from polytask.datasets import make_related_tasks
from polytask.mixed.reml import MixedModel
from tests.reml.worlds import draw

DOUBTS = pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
ALL = ["auto", "scalar", "diagonal", "factor", "full"]


def reml(covariance="auto", **kwargs):
    return MeanRegularizedRegressor("reml", covariance=covariance, task="task", **kwargs)


def assert_sane(model, X, y):
    """Finite, at the optimum, covariance matrices positive semidefinite."""
    mean, std = model.predict(X, return_std=True)
    assert np.isfinite(mean).all()
    assert (std > 0).all()
    assert model.violation_ < 1e-7
    assert np.linalg.eigvalsh(model.deviation_covariance_).min() > -1e-9
    assert np.linalg.eigvalsh(model.coef_covariance_).min() > -1e-9 * model.coef_covariance_.max()
    assert model.noise_variance_ <= 1.5 * np.var(y) + 1e-12


@pytest.mark.parametrize("covariance", ALL[1:3])
def test_without_differences_between_tasks_variances_are_zero(covariance):
    rng = np.random.default_rng(3)
    X, y, _ = draw(rng, [20] * 15, np.zeros(4), np.array([1.0, -1.0, 0.5, 2.0]))
    columns = [*X.columns[:3]]
    X[columns] -= X.groupby("task")[columns].transform("mean")
    y = y - pd.Series(y).groupby(X["task"]).transform("mean")  # levels: more alike than chance
    model = reml(covariance).fit(X, y)
    assert model.deviation_covariance_[-1, -1] == 0
    np.testing.assert_allclose(model.intercept_, model.common_intercept_)
    assert model.alpha_intercept_ == np.inf
    assert_sane(model, X, y)


def test_all_variances_zero_is_the_pooled_fit():
    rng = np.random.default_rng(0)
    X, y, _ = draw(rng, [60], np.zeros(3), np.array([1.0, -1.0, 0.5]))
    X, y = pd.concat([X.assign(task=i) for i in range(12)]), np.tile(y, 12)  # the same task
    model = reml("diagonal", alpha_common=0).fit(X, y)
    pooled = PooledRegressor(alpha=0.0, task="task").fit(X, y)
    assert not model.deviation_covariance_.any()
    np.testing.assert_allclose(model.coef_, pooled.coef_, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, pooled.intercept_, atol=1e-10)
    assert (model.alpha_ == np.inf).all()


@pytest.mark.parametrize("covariance", ALL)
@pytest.mark.parametrize("alpha_common", ["auto", 0, "reml"])
@pytest.mark.parametrize("column", ["constant", "zero", "twin", "task"])
def test_columns_that_say_nothing(covariance, alpha_common, column):
    rng = np.random.default_rng(1)
    X, y, _ = draw(rng, [3, 8, 15, 20, 30], np.full(3, 0.5), np.ones(3))
    values = {"constant": 1.0, "zero": 0.0, "twin": X["x0"], "task": X["task"] * 0.3}
    with_it = X.assign(more=values[column])[["x0", "x1", "more", "task"]]
    model = reml(covariance, alpha_common=alpha_common).fit(with_it, y)
    assert_sane(model, with_it, y)
    if column == "zero" and alpha_common == 0 and covariance not in ("factor", "full"):
        plain = reml(model.covariance_, alpha_common=0).fit(X, y)
        np.testing.assert_allclose(model.predict(with_it), plain.predict(X), atol=1e-5)


@DOUBTS
@pytest.mark.parametrize("covariance", ALL)
@pytest.mark.parametrize("sizes", [[1] * 12, [2] * 10, [1, 1, 2, 40], [5], [3, 4]])
def test_tasks_of_few_rows(covariance, sizes):
    rng = np.random.default_rng(2)
    X, y, _ = draw(rng, sizes, np.full(6, 0.5), np.ones(6))
    model = reml(covariance).fit(X, y)
    if model.noise_variance_ > 1e-4:  # else nearly a perfect fit: no noise is left, and few digits
        assert_sane(model, X, y)
    assert np.isfinite(model.predict(X, return_std=True)).all()
    if model.covariance_ in ("scalar", "diagonal"):
        assert model.violation_ < 1e-9


@DOUBTS
@pytest.mark.parametrize("alpha_common", ["auto", 0])
def test_fewer_rows_than_features(alpha_common):
    rng = np.random.default_rng(4)
    X, y, _ = draw(rng, [3, 4, 5], np.full(31, 0.1), np.full(31, 0.3))
    model = reml(alpha_common=alpha_common)
    if alpha_common == 0:  # w0 takes everything: no noise is left, which is said, not hidden
        with pytest.raises(ValueError, match="alpha_common"):
            model.fit(X, y)
        return
    model.fit(X, y)
    assert_sane(model, X, y)


def test_a_constant_target():
    rng = np.random.default_rng(5)
    X, _, _ = draw(rng, [10, 10, 10], np.zeros(3), np.zeros(3))
    model = reml().fit(X, np.full(30, 2.5))
    np.testing.assert_allclose(model.predict(X), 2.5)
    assert model.noise_variance_ == pytest.approx(0.0, abs=1e-12)


@DOUBTS
@pytest.mark.parametrize("covariance", ALL)
@pytest.mark.parametrize("sizes", [[10] * 20, [30] * 3])
def test_a_perfect_fit(covariance, sizes):
    """No noise is left, and the search's own algebra has no digits."""
    rng = np.random.default_rng(6)
    X, y, theta = draw(rng, sizes, np.full(3, 0.5), np.ones(3), noise=0.0)
    model = reml(covariance).fit(X, y)
    np.testing.assert_allclose(model.coef_, theta[:, :2], atol=1e-4)
    assert model.violation_ < 1e-9
    times = rng.integers(1, 3, len(y))
    again = np.repeat(np.arange(len(y)), times)
    weighted = reml(covariance, weights="count").fit(X, y, sample_weight=times)
    repeated = reml(covariance).fit(X.iloc[again], y[again])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=5e-5)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"alpha": "reml", "task_weight": "equal"}, "counts rows"),
        ({"alpha": "reml", "alpha_common": 0.5}, "alpha_common"),
        ({"alpha": 1.0, "alpha_common": "reml"}, "alpha_common"),
    ],
)
def test_refusals(parameters, match):
    X, y, _ = draw(np.random.default_rng(0), [4, 4], np.zeros(2), np.ones(2))
    with pytest.raises(ValueError, match=match):
        MeanRegularizedRegressor(task="task", **parameters).fit(X, y)


def test_standard_errors_need_reml():
    X, y, _ = draw(np.random.default_rng(0), [4, 4], np.zeros(2), np.ones(2))
    model = MeanRegularizedRegressor(1.0, task="task").fit(X, y)
    with pytest.raises(ValueError, match="standard errors need alpha='reml'"):
        model.predict(X, return_std=True)
    with pytest.raises(ValueError, match="standard errors need alpha='reml'"):
        model.coef_interval()


@pytest.mark.parametrize("size", [1e-100, 1e100])
def test_targets_whose_variances_are_no_numbers_are_refused(size):
    X, y, _ = make_related_tasks(8, 4, 20, random_state=0)
    with pytest.raises(ValueError, match="between 1e-75 and 1e75"):
        MeanRegularizedRegressor("reml", task="task").fit(X, y * size)


@pytest.mark.parametrize("seed", range(5))
def test_a_column_that_is_zero_has_no_precision(seed):
    """A rounding in it was taken for its variance where another variance is large."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6, 3, 4))  # fewer rows than columns
    X[:, :, 2] = 0.0
    H = X.transpose(0, 2, 1) @ X
    model = MixedModel(H, rng.normal(size=(6, 4)), 1.0, np.zeros(4), np.ones(4), 18.0)
    T = model.precisions(np.diag([0.2, 100.0, 0.0, 0.3]))
    assert not T[:, 2].any()
    assert not T[:, :, 2].any()
