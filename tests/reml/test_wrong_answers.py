"""Answers that were wrong once, and what rows cannot say."""

import warnings

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.mixed.doubts import DoubtWarning


def table(g, **columns):
    return pd.DataFrame({**columns, "g": g})


@pytest.mark.parametrize("covariance", ["diagonal", "factor", "full"])
def test_a_wild_trial_of_the_search_does_not_stay(covariance):
    """A bad step of the full covariance's search left the mode where all odds are 0 for ever."""
    r = np.random.default_rng(26)
    g = np.repeat(np.arange(20), 30)
    x = (r.random(600) < 0.3) * 1.0
    f = -0.7 + 0.7 * x + r.normal(size=20)[g] * 0.6 + r.normal(size=20)[g] * 0.8 * x
    y = (r.random(600) < 1 / (1 + np.exp(-f))).astype(int)
    X = table(g, x=x)
    model = MeanRegularizedClassifier("reml", covariance=covariance, task="g").fit(X, y)
    assert model.common_coef_[0] == pytest.approx(0.82, abs=0.06)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=1e-3)
    assert model.status_ == "solved"


def wide_levels(seed):
    r = np.random.default_rng(seed)
    g = np.repeat(np.arange(200), 5)
    x, b = r.normal(size=1000), r.normal(size=(200, 2)) * [1.5, 0.7]
    f = 0.5 + b[g, 0] + (1 + b[g, 1]) * x
    return table(g, x=x), (r.random(1000) < 1 / (1 + np.exp(-f))).astype(int)


def fitted_labels(seed):
    X, y = wide_levels(seed)
    model = MeanRegularizedClassifier("reml", covariance="diagonal", alpha_common=0, task="g")
    return model.set_params(unseen="common").fit(X, y)


def test_labels_report_the_integrated_common_part_and_predict_by_the_mode():
    """glmer of lme4 1.1-31, (1 | g) + (0 + x | g), says .9502 with an error of .1245."""
    model = fitted_labels(0)
    assert model.common_coef_[0] == pytest.approx(0.9502, abs=0.05)
    assert np.sqrt(model.common_covariance_[0, 0]) > 0.1245
    assert model.new_task_coef_[0] == pytest.approx(0.805, abs=0.01)  # the mode
    new = table([999], x=[1.0])
    assert model.decision_function(new)[0] == pytest.approx(
        model.new_task_coef_[0] + model.new_task_intercept_
    )
    np.testing.assert_allclose(model.coef_, model.common_coef_ + model.deviation_coef_)


@pytest.mark.slow
def test_intervals_of_the_integrated_common_part():
    """The mode was .775 for 1, and held it in a third of the draws."""
    models = [fitted_labels(seed) for seed in range(30)]
    est = np.array([model.common_coef_[0] for model in models])
    se = np.sqrt([model.common_covariance_[0, 0] for model in models])
    assert est.mean() == pytest.approx(1.0, abs=0.08)
    assert (abs(est - 1) < 1.96 * se).mean() >= 0.85


@pytest.mark.parametrize("covariance", ["scalar", "diagonal", "factor", "full"])
@pytest.mark.parametrize("size", [1e4, 1e6])
def test_levels_far_above_the_noise(covariance, size):
    r = np.random.default_rng(3)
    g, x = np.repeat(np.arange(30), 20), r.normal(size=600)
    level, slope = size * r.normal(size=30), 1 + 0.5 * r.normal(size=30)
    y = level[g] + slope[g] * x + r.normal(size=600)
    model = MeanRegularizedRegressor("reml", covariance=covariance, task="g")
    with warnings.catch_warnings():
        if size > 1e5:  # the likelihood has too few digits to be sure of
            warnings.simplefilter("ignore")
        model.fit(table(g, x=x), y)
    assert np.sqrt(model.noise_variance_) == pytest.approx(1.01, abs=0.005)
    assert np.sqrt(model.deviation_covariance_[0, 0]) == pytest.approx(0.42, abs=0.007)


@pytest.mark.parametrize("seed", range(3))
def test_covariances_of_coefficients_far_above_the_noise(seed):
    """Of a task's they lost their digits, and tasks were said to differ in noise."""
    r = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(30), 20), r.normal(size=600)
    y = 1e6 * r.normal(size=30)[g] + (1 + 0.5 * r.normal(size=30))[g] * x + r.normal(size=600)
    model = MeanRegularizedRegressor("reml", covariance="full", task="g", noise="common")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the likelihood has too few digits to be sure of
        model.fit(table(g, x=x), y)
    for i, V in enumerate(model.coef_covariance_):
        Z = np.column_stack([x[g == i], np.ones(20)])
        assert 1.3 < np.trace(Z @ V @ Z.T) / model.noise_variance_ < 2.0001


@pytest.mark.parametrize("seed", range(4))
def test_a_factor_starts_in_the_units_of_each_coefficient(seed):
    """Its slope variance was zero where levels are a million times the noise."""
    r = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(30), 20), r.normal(size=600)
    level, slope = 1e6 * r.normal(size=30), 1 + 0.5 * r.normal(size=30)
    y = level[g] + slope[g] * x + r.normal(size=600)
    fits = {}
    for covariance in ("diagonal", "factor"):
        model = MeanRegularizedRegressor("reml", covariance=covariance, task="g")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the likelihood has too few digits to be sure of
            fits[covariance] = model.fit(table(g, x=x), y)
    noise, spread = (
        [np.sqrt(f(fits[name])) for name in ("factor", "diagonal")]
        for f in (lambda m: m.noise_variance_, lambda m: m.deviation_covariance_[0, 0])
    )
    assert noise[0] == pytest.approx(noise[1], rel=0.02)
    assert spread[0] == pytest.approx(spread[1], rel=0.02)


@pytest.mark.parametrize(
    ("sizes", "says"), [([20], "one task says nothing"), ([1] * 20, "one row in every task")]
)
@pytest.mark.parametrize("covariance", ["auto", "full"])
def test_what_cannot_be_known_is_said(sizes, says, covariance, rng):
    g = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(g))
    model = MeanRegularizedRegressor("reml", covariance=covariance, task="g", alpha_common=0)
    with pytest.warns(DoubtWarning, match=says):
        model.fit(table(g, x=x), x + rng.normal(size=len(g)))


def test_without_noise_intervals_do_not_pretend():
    held, said = [], 0
    for seed in range(5):
        r = np.random.default_rng(seed)
        g, X, W = np.repeat(np.arange(12), 5), r.normal(size=(60, 6)), 1 + r.normal(size=(12, 6))
        y = (X * W[g]).sum(1) + r.normal(size=12)[g] + 0.5 * r.normal(size=60)
        frame = pd.DataFrame(X).rename(columns=str).assign(g=g)
        model = MeanRegularizedRegressor("reml", covariance="full", task="g")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            low, high = model.fit(frame, y).coef_interval()
        doubted = any("leave no noise" in str(w.message) for w in caught)
        said += doubted
        if doubted:
            held.append(((low < W) & (high > W)).mean())
    assert said >= 3
    assert np.mean(held) > 0.88  # of 95 % ones; at the noise of the fit they hold 15 %
