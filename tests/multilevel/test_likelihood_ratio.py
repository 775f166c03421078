"""Tests of nested models: the statistics of lme4's anova, and the boundary."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polytask import MeanRegularizedRegressor, MultilevelClassifier, MultilevelRegressor
from polytask.inspection import likelihood_ratio_test
from tests.reml.test_against_lme4 import SLEEP, numbers

# anova(smaller, larger, refit = FALSE) of lme4 1.1-31 on sleepstudy, bobyqa with rhoend = 1e-10:
# Chisq, Df, Pr(>Chisq), which takes the variance for an inner parameter
LEVEL_TO_SLOPES = (42.0753878653429, 1, 8.78215848529e-11)
SLOPES_TO_CORRELATED = (0.0639106766851, 1, 8.00418431977e-01)
WITHOUT_TO_WITH_DAYS = (116.462415068, 1, 3.76446147655e-27)
REML_LEVEL_TO_CORRELATED = (42.8368134364, 2, 4.99004142696e-10)


def sleep():
    table = pd.DataFrame(
        {"Days": np.tile(np.arange(10.0), 18), "Subject": np.repeat(np.arange(18), 10)}
    )
    return table, np.array(numbers(SLEEP))


def fit(features=("Days",), varying=(), covariance="diagonal", alpha="ml", rows=180):
    X, y = sleep()
    model = MultilevelRegressor(
        alpha, varying=list(varying), covariance=covariance, alpha_common=0, task="Subject"
    )
    return model.fit(X[[*features, "Subject"]][:rows], y[:rows])


def test_a_variance_at_zero_has_half_the_p_value_of_lme4():
    found = likelihood_ratio_test(fit(), fit(varying=["Days"]))
    chi2, df, p = LEVEL_TO_SLOPES
    assert found.statistic == pytest.approx(chi2, abs=1e-5)
    assert (found.df, found.at_boundary) == (df, 1)
    assert found.p == pytest.approx(p / 2, rel=1e-4)
    assert "a variance at zero: half chi2(0), half chi2(1)." in found.text


def test_a_correlation_and_a_feature_are_inner_parameters():
    pairs = [
        (fit(varying=["Days"]), fit(varying=["Days"], covariance="full"), SLOPES_TO_CORRELATED),
        (fit(features=()), fit(), WITHOUT_TO_WITH_DAYS),
    ]
    for small, large, (chi2, df, p) in pairs:
        found = likelihood_ratio_test(small, large)
        assert found.statistic == pytest.approx(chi2, abs=1e-5)
        assert (found.df, found.at_boundary) == (df, 0)
        assert found.p == pytest.approx(p, rel=1e-4)


def test_restricted_likelihoods_of_the_same_features_compare():
    large = fit(varying=["Days"], covariance="full", alpha="reml")
    chi2, df, _ = REML_LEVEL_TO_CORRELATED
    found = likelihood_ratio_test(fit(alpha="reml"), large)
    assert found.statistic == pytest.approx(chi2, abs=1e-5)
    assert (found.df, found.at_boundary) == (df, 1)
    mixture = 0.5 * stats.chi2.sf(chi2, 1) + 0.5 * stats.chi2.sf(chi2, 2)
    assert found.p == pytest.approx(mixture, rel=1e-3)
    X, y = sleep()  # one grouping, the other estimator
    same = MeanRegularizedRegressor("reml", covariance="full", alpha_common=0, task="Subject")
    again = likelihood_ratio_test(fit(alpha="reml"), same.fit(X, y))
    assert again.statistic == pytest.approx(chi2, abs=1e-4)
    assert same.summary()["deviation_p"].iloc[0] < 1e-8  # of the slopes alone


def test_information_criteria_are_those_of_lme4():
    model = fit(varying=["Days"])
    got = [model.log_likelihood_, model.aic_, model.bic_]
    assert got == pytest.approx([-876.001627570, 1762.00325514, 1777.96803939], abs=1e-5)


@pytest.mark.slow
def test_p_values_are_uniform_where_the_smaller_model_is_true():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(30), 6)
    p = []
    for _ in range(200):
        X, y = pd.DataFrame({"x": rng.normal(size=180), "task": task}), rng.normal(size=180)
        y = y + X["x"] + rng.normal(size=30)[task]
        models = [
            MultilevelRegressor(
                varying=v, covariance="diagonal", alpha_common=0, task="task"
            ).fit(X, y)
            for v in ([], ["x"])
        ]  # fmt: skip
        p.append(likelihood_ratio_test(*models).p)
    p = np.array(p)
    assert 0.4 < (p == 1.0).mean() < 0.65  # the estimate is zero in half of the draws
    assert stats.binomtest(int((p < 0.1).sum()), 200, 0.1).pvalue > 0.01


def test_what_is_no_test_is_refused():
    plain, slopes = fit(alpha="reml"), fit(varying=["Days"], alpha="reml")
    X, y = sleep()
    labels = MultilevelClassifier(varying=[], task="Subject").fit(X, y > 300)
    some = MultilevelClassifier(varying=["Days"], task="Subject").fit(X, y > 300)
    cases = [
        (slopes, plain, "no special case"),
        (plain, plain, "no more parameters"),
        (fit(features=(), alpha="reml"), slopes, "others in 'Days'. Fit both with alpha='ml'"),
        (plain, fit(varying=["Days"]), "'squared, reml' and one of 'squared, ml'"),
        (fit(rows=170, alpha="reml"), slopes, "other rows: 170 and 180"),
        (labels, some, "have priors. Fit both with alpha='ml'"),
        (MultilevelRegressor(0.1, task="Subject").fit(X, y), slopes, "strengths that were given"),
        (MeanRegularizedRegressor(task="Subject").fit(X, y), slopes, "which has no likelihood"),
        (object(), slopes, "must be mixed models"),
    ]
    for small, large, told in cases:
        with pytest.raises(ValueError, match=told.replace("(", r"\(")):
            likelihood_ratio_test(small, large)
