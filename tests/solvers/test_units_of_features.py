"""Norms on features, and tasks, whose curvatures are far apart."""

import numpy as np
import pytest

from polytask import (
    ConcaveFeaturesClassifier,
    DirtyTasksClassifier,
    FusedTasksRegressor,
    SparseLimitedTraceRegressor,
    TemporalFeaturesClassifier,
    TemporalFeaturesRegressor,
)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 1.0])
def test_a_column_in_thousands_has_a_rho_of_its_own(alpha):
    """With one rho for all ADMM ended at 200 iterations; 4,000 to 10,000 gradient steps came on."""
    rng = np.random.default_rng(3)
    ids, X = np.repeat(np.arange(6), 25), rng.normal(size=(150, 3)) * [1e3, 1, 1]
    W = (np.array([1, -1, 0.5]) + 0.3 * rng.normal(size=(6, 3))) / [1e3, 1, 1]
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=150)
    model = FusedTasksRegressor(alpha, task=0).fit(np.column_stack([ids, X]), y)
    assert (model.status_, model.solver_) == ("solved", "admm")
    assert model.n_iter_ < 100


@pytest.mark.parametrize("factor", [1e3, 1e-3])
@pytest.mark.parametrize("Model", [TemporalFeaturesRegressor, TemporalFeaturesClassifier])
def test_gradient_steps_are_in_units_of_the_features(Model, factor):
    """With one step for all they ended at 10,000 iterations, a gap of .005 or .03 off."""
    rng = np.random.default_rng(1)
    ids, X = np.repeat(np.arange(8), 30), rng.normal(size=(240, 4))
    W = np.cumsum(rng.normal(size=(8, 4)), axis=0)
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=240)
    y = y > 0 if Model is TemporalFeaturesClassifier else y
    X[:, 1] *= factor
    model = Model(0.02, alpha_difference=0.02, task=0).fit(np.column_stack([ids, X]), y)
    assert model.status_ == "solved"
    assert model.n_iter_ < 300


@pytest.mark.parametrize("rows", ["separable", "of one row"])
def test_tasks_that_leave_no_slope_of_their_own(rows):
    """Their probabilities are 1 but for 1e-7 and less, what they pull and bend next to nothing."""
    if rows == "separable":
        X = np.array([[i, j] for i in (1, 2, 3) for j in (1, 2, 3, 4)], dtype=float)
        y = np.array([1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2])
    else:
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(60, 1)), rng.integers(0, 2, size=60)
        X = np.column_stack([np.arange(60), X])
    model = DirtyTasksClassifier(1e-3, alpha_own=1e-3, alpha_intercept=1e-3, task=0).fit(X, y)
    assert model.status_ == "solved"
    assert model.n_iter_ < 2000


def test_features_that_vary_between_tasks_alone():
    """Tied levels hold their slopes; the bound within tasks said that no slope was owed."""
    X = np.array([[t, x] for t, x in ((1, 3), (2, 1), (3, 3), (4, 1)) for _ in range(4)])
    y = np.array([1.0, 1, 1, 1, 2, 2, 2, 2] * 2)
    model = SparseLimitedTraceRegressor(1e-3, max_trace=1.0, alpha_intercept=1e-3, task=0)
    assert model.fit(X, y).status_ == "solved"
    np.testing.assert_allclose(model.predict(X), y, atol=1e-3)


def test_a_stage_goes_on_where_its_dual_point_says_nothing():
    """A price of a hundredth of the last stage's: such a gap stopped squares uphill."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(loc=100, size=(100, 2)), rng.randint(0, 2, size=100)
    model = ConcaveFeaturesClassifier(0.0333152).fit(X, y)
    assert model.status_ == "solved"
    assert model.coef_[0, 1] == pytest.approx(0.2979, abs=1e-3)  # .166 with the first stage's price


def test_gradient_steps_are_in_what_levels_leave_of_curvatures():
    """A feature a hundred deviations from zero bends little once the intercept goes along."""
    rng = np.random.default_rng(1)
    ids, X = np.repeat(np.arange(8), 30), rng.normal(size=(240, 4))
    W = np.cumsum(rng.normal(size=(8, 4)), axis=0)
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=240) > 0
    X[:, 1] += 100.0 * ids
    model = TemporalFeaturesClassifier(0.02, alpha_difference=0.02, task=0)
    model.fit(np.column_stack([ids, X]), y)
    assert model.status_ == "solved"
    assert model.n_iter_ < 1000


@pytest.mark.parametrize("Model", [TemporalFeaturesRegressor, TemporalFeaturesClassifier])
def test_strong_differences_cost_no_iterations(Model):
    """Tasks are turned to where differences are curvatures of single coefficients."""
    rng = np.random.default_rng(0)
    ids, X = np.repeat(np.arange(12), 50), rng.normal(size=(600, 10))
    W = 1.0 + np.cumsum(0.05 * rng.normal(size=(12, 10)), axis=0)
    y = (X * W[ids]).sum(axis=1) + 2 * rng.normal(size=600)
    y = y > 0 if Model is TemporalFeaturesClassifier else y
    model = Model(0.01, alpha_difference=300.0, task=0).fit(np.column_stack([ids, X]), y)
    assert model.status_ == "solved"
    assert model.n_iter_ < 150
    assert np.ptp(model.coef_, axis=0).max() < 0.01
