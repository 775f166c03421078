"""Intervals and tests of variances: lme4's profiles, and two roads to one likelihood."""

import numpy as np
import pytest
from scipy import stats

from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultilevelClassifier,
    MultilevelRegressor,
)
from polytask.datasets import make_crossed_rows, make_related_tasks
from polytask.inspection import likelihood_ratio_test
from tests.multilevel.test_likelihood_ratio import fit, sleep

# confint(model, parm = "theta_") of lme4 1.1-31 on sleepstudy, bobyqa: standard deviations
LEVEL_90, SLOPE_90 = (16.528073, 35.0800939), (4.213577, 8.1718968)
LABELS_95 = (0.98169281, 3.0275837)  # of Reaction > 300, glmer with tolPwrss = 1e-13
LABELS_FIXED = [[0.585227508, 0.0980552911], [-3.195455766, 0.6853944353]]
CLOSE = 2e-3  # relative, of two searches for the end of an interval


def test_intervals_are_the_profiles_of_lme4():
    X, y = sleep()
    low, high = fit(varying=["Days"]).variance_interval(0.9, X=X, y=y)["Subject"]
    assert (low[1] ** 0.5, high[1] ** 0.5) == pytest.approx(LEVEL_90, rel=CLOSE)
    assert (low[0] ** 0.5, high[0] ** 0.5) == pytest.approx(SLOPE_90, rel=CLOSE)


def test_labels_have_them_too():
    X, y = sleep()
    model = MultilevelClassifier("ml", varying=[], alpha_common=0, task="Subject").fit(X, y > 300)
    table = model.summary(X=X, y=y > 300)
    ends = table.loc["intercept", ["Subject_low", "Subject_high"]].tolist()
    assert ends == pytest.approx(LABELS_95, rel=CLOSE)
    np.testing.assert_allclose(table[["common", "standard_error"]], LABELS_FIXED, rtol=1e-4)
    assert np.isnan(table.loc["Days", "Subject"])
    assert np.isnan(table.loc["Days", "Subject_p"])


def test_two_roads_to_one_restricted_likelihood_of_labels():
    X, y, _ = make_related_tasks(
        12, 1, 25, deviation=0.7, level=1.0, classification=True, random_state=1
    )
    how = {"covariance": "diagonal", "alpha_common": 0, "task": "task"}
    one = MeanRegularizedClassifier("reml", **how).fit(X, y).summary(X=X, y=y)
    other = MultilevelClassifier("reml", varying="all", **how).fit(X, y).summary(X=X, y=y)
    ends = ["deviation", "deviation_low", "deviation_high", "deviation_p"]
    again = ["task", "task_low", "task_high", "task_p"]
    np.testing.assert_allclose(one[ends], other[again], rtol=5e-3)
    assert (one["deviation_low"] < one["deviation"]).all()


def test_p_values_are_those_of_fits_without():
    X, y, _ = make_crossed_rows(300, {"user": 20, "item": 10}, slope=(0.3, 0.0), random_state=0)
    how = {"task": ["user", "item"], "covariance": "diagonal", "alpha_common": 0}
    whole = MultilevelRegressor(varying={"user": ["x0"]}, **how).fit(X, y)
    table = whole.summary(X=X, y=y)
    without = MultilevelRegressor(varying=[], **how).fit(X, y)
    p = likelihood_ratio_test(without, whole).p
    assert table.loc["x0", "user_p"] == pytest.approx(p, rel=1e-3)
    users = MultilevelRegressor(varying={"user": ["x0"]}, n_groupings=1, **how).fit(X, y)
    p = likelihood_ratio_test(users, whole).p
    assert table.loc["intercept", "item_p"] == pytest.approx(p, rel=1e-3)
    assert table.index.tolist() == ["x0", "x1", "intercept"]
    half = stats.norm.ppf(0.975) * table["standard_error"]
    np.testing.assert_allclose(table["high"] - table["common"], half)


def test_other_rows_and_given_strengths_are_refused():
    X, y = sleep()
    model = fit(varying=["Days"])
    with pytest.raises(ValueError, match="must be the rows of the fit; got 180 rows for 180"):
        model.summary(X=X, y=y + 1)
    given = MultilevelRegressor(0.1, task="Subject").fit(X, y)
    assert given.summary().shape == (2, 6)
    with pytest.raises(ValueError, match="need alpha='reml' or 'ml'"):
        given.variance_interval(X=X, y=y)
    labels = MeanRegularizedClassifier("reml", task="Subject").fit(X, y > 300)
    with pytest.raises(ValueError, match=r"variance_interval\(X=X, y=y\)"):
        labels.variance_interval()
    with pytest.raises(ValueError, match="must be the rows of the fit; got 170 rows for 180"):
        labels.variance_interval(X=X[:170], y=y[:170] > 300)


def test_a_search_of_the_profile_that_ends_far_from_the_next_begins_anew():
    """A feature that is constant in tasks: its deviations and the levels can be each other's."""
    rng = np.random.default_rng(0)
    task, level = np.repeat(np.arange(40), 20), rng.normal(size=40)
    x = level[task] + rng.normal(size=800)
    z = rng.normal(size=800)
    y = 0.5 * x + 2 * level[task] + 0.3 * z + 0.7 * rng.normal(size=800)
    y += 0.5 * rng.normal(size=40)[task]
    means = (np.bincount(task, x) / 20)[task]
    X = np.column_stack([x, z, means])
    X = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), task])
    model = MeanRegularizedRegressor(alpha="reml", task=3).fit(X, y)
    table = model.summary()
    assert (table["deviation_low"] <= table["deviation"]).all()
    assert (table["deviation"] <= table["deviation_high"]).all()


def test_common_coefficients_of_labels_are_integrated_ones():
    """glmer of lme4 1.1-31 (bobyqa, tolPwrss = 1e-13): y ~ x0 + x1 + (1 | user) + (1 | item)."""
    groups = {"user": 30, "item": 10}
    X, y, _ = make_crossed_rows(400, groups, classification=True, random_state=3)
    how = {"task": ["user", "item"], "varying": [], "alpha_common": 0}
    by_ml, by_reml = (MultilevelClassifier(rule, **how).fit(X, y) for rule in ("ml", "reml"))
    found = [*by_ml.common_coef_, by_ml.common_intercept_]
    np.testing.assert_allclose(found, [1.16723277, -1.23671505, 0.28239889], atol=1e-5)
    errors = np.sqrt(np.diag(by_ml.common_covariance_))
    np.testing.assert_allclose(errors, [0.16961295, 0.16367312, 0.35152103], rtol=1e-4)
    # the mode of w0 and the deviations predicts, and is nearer to zero
    assert (np.abs(by_reml.new_task_coef_) < 0.95 * np.abs(by_reml.common_coef_)).all()
    np.testing.assert_allclose(by_reml.common_coef_, by_ml.common_coef_, rtol=0.01)
    new = X[:5].assign(user=999, item=999)
    f = by_reml.set_params(unseen="common").decision_function(new)
    by_hand = new[["x0", "x1"]].to_numpy() @ by_reml.new_task_coef_ + by_reml.new_task_intercept_
    np.testing.assert_allclose(f, by_hand, rtol=1e-12)


def test_one_grouping_reports_what_the_mean_regularized_classifier_does():
    options = {"deviation": 0.7, "level": 1.0, "classification": True, "random_state": 1}
    X, y, _ = make_related_tasks(12, 1, 25, **options)
    how = {"covariance": "diagonal", "alpha_common": 0, "task": "task"}
    one = MeanRegularizedClassifier("reml", **how).fit(X, y)
    other = MultilevelClassifier("reml", varying="all", **how).fit(X, y)
    np.testing.assert_allclose(other.common_coef_, one.common_coef_, rtol=1e-4)
    np.testing.assert_allclose(other.new_task_coef_, one.new_task_coef_, rtol=1e-4)
