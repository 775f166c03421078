"""Intervals and tests of variances between tasks and of w0."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq, minimize_scalar

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from tests.reml.test_against_lme4 import DYESTUFF, DYESTUFF2, numbers
from tests.reml.worlds import draw, restricted_likelihood


def level_only(text):
    y, g = numbers(text), np.repeat(np.arange(6), 5)
    X = pd.DataFrame({"zero": np.zeros(30), "g": g})
    return MeanRegularizedRegressor("reml", task="g", alpha_common=0).fit(X, y), y, g


def profile(y, g, variance):
    """-2 log restricted likelihood of a level's variance by dense matrices, least over noise."""
    one = np.ones((len(y), 1))

    def criterion(log_noise):
        return -2 * restricted_likelihood(one, y, g, np.array([[variance]]), np.exp(log_noise))

    middle = np.log(y.var())
    return minimize_scalar(criterion, bounds=(middle - 6, middle + 3), method="bounded").fun


@pytest.mark.parametrize("text", [DYESTUFF, DYESTUFF2])
def test_ends_of_a_variance_are_where_the_dense_likelihood_falls(text):
    model, y, g = level_only(text)
    low, high = (end[-1] for end in model.variance_interval(0.9))
    best = profile(y, g, model.deviation_covariance_[-1, -1])
    most = best + stats.chi2.ppf(0.9, 1)
    top = brentq(lambda v: profile(y, g, v) - most, model.deviation_covariance_[-1, -1], 1e5)
    assert high == pytest.approx(top, rel=5e-3)
    if text == DYESTUFF2:  # its batches differ less than chance
        assert low == 0
    else:
        bottom = brentq(lambda v: profile(y, g, v) - most, 0.0, model.deviation_covariance_[-1, -1])
        assert low == pytest.approx(bottom, rel=5e-3)
    rise = max(profile(y, g, 0.0) - best, 0.0)
    p = 0.5 * stats.chi2.sf(rise, 1) + 0.5 * (rise < 1e-6)
    assert model.summary()["deviation_p"].iloc[-1] == pytest.approx(p, abs=1e-3)


@pytest.mark.parametrize("covariance", ["scalar", "diagonal", "factor", "full"])
def test_intervals_hold_the_estimates(covariance, rng):
    X, y, _ = draw(rng, [12] * 14, np.array([0.7, 0.0, 0.5]), np.array([1.0, -0.5, 0.3]))
    model = MeanRegularizedRegressor("reml", covariance=covariance, task="task", alpha_common=0)
    table = model.fit(X, y).summary()
    assert list(table.index) == ["x0", "x1", "intercept"]
    assert (table["low"] < table["common"]).all()
    assert (table["common"] < table["high"]).all()
    assert (table["deviation_low"] <= table["deviation"] * (1 + 1e-6)).all()
    assert (table["deviation"] <= table["deviation_high"] * (1 + 1e-6)).all()
    assert table["deviation_p"].between(0, 1).all()
    assert table["df"].between(5, 200).all()
    assert table["deviation_p"]["x0"] < 1e-3
    np.testing.assert_allclose(model.common_interval(), table.loc[["x0", "x1"], ["low", "high"]].T)


def test_what_labels_have_no_interval_for_is_said(rng):
    X, f, _ = draw(rng, [20] * 12, np.full(3, 0.7), np.ones(3))
    y = (f + rng.logistic(size=len(f)) > 0).astype(int)
    model = MeanRegularizedClassifier("reml", task="task").fit(X, y)
    table = model.summary()
    assert np.isinf(table["df"]).all()
    assert table["deviation_p"].isna().all()
    assert (table["low"] < table["high"]).all()
    with pytest.raises(ValueError, match="needs some noise and, of labels"):
        model.variance_interval()
    with pytest.raises(ValueError, match="need alpha='reml'"):
        MeanRegularizedRegressor(0.1, task="task").fit(X, f).summary()


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.0, 0.7])
@pytest.mark.parametrize("n_tasks", [6, 20])
def test_ninety_five_per_cent_hold_the_truth(true, n_tasks):
    """Of w0 and of the variance of a slope, which is zero or not; 100 draws: +- .04."""
    held, covered, rejected = [], [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X, y, _ = draw(rng, [10] * n_tasks, np.array([true, 0.8]), np.array([1.0, 0.3]))
        model = MeanRegularizedRegressor(
            "reml", covariance="diagonal", task="task", alpha_common=0
        ).fit(X, y)
        table = model.summary().loc["x0"]
        held.append(table["low"] < 1.0 < table["high"])
        covered.append(table["deviation_low"] <= true <= table["deviation_high"])
        rejected.append(table["deviation_p"] < 0.05)
    assert np.mean(held) == pytest.approx(0.95, abs=0.045)
    assert np.mean(covered) > 0.9
    if true == 0:
        assert np.mean(rejected) < 0.09
