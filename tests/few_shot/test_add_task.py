"""Tasks added to a fitted model."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.datasets import make_related_tasks
from polytask.responses import Logistic, Squared
from polytask.solvers.new_task import fit_near, prior_root


def old_and_new(n_tasks=30, n_new=1, n_rows=15, seed=0, **options):
    X, y, truth = make_related_tasks(
        n_tasks, 4, n_rows, level=0.5, noise=1.0, random_state=seed, **options
    )
    new = X["task"] >= n_tasks - n_new
    return X, y, new.to_numpy(), truth


@pytest.mark.parametrize("loss", [Squared(), Logistic()])
def test_a_new_task_is_at_its_minimum(loss, rng):
    rows = rng.normal(size=(12, 4))
    y = (rng.random(12) > 0.5).astype(float)
    weight, common, L = rng.random(12), rng.normal(size=4), rng.normal(size=(4, 3))
    deviation, _ = fit_near(loss, rows, y, weight, common, L, np.full(3, 0.5))

    def value(u):
        return float(weight @ loss.value(y, rows @ (common + L @ u)) + 0.5 * u @ u)

    best = minimize(value, np.zeros(3), tol=1e-12)
    np.testing.assert_allclose(deviation, L @ best.x, atol=1e-5)


def test_roots_of_strengths():
    L = prior_root(np.array([0.5, np.inf, 2.0]))
    np.testing.assert_allclose(L @ L.T, np.diag([1.0, 0.0, 0.25]))


@pytest.mark.parametrize("task_weight", ["equal", "size"])
@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, MeanRegularizedClassifier])
def test_is_the_refit_given_its_common_part(Model, task_weight):
    """With the refit's w0 and strengths on the refit's scale; tasks of one size."""
    X, y, new, _ = old_and_new(classification=Model is MeanRegularizedClassifier)
    m = 30
    scale = (~new).mean() if task_weight == "size" else (m - 1) / m
    options = {"task": "task", "task_weight": task_weight}
    every = Model(0.02 * scale, alpha_intercept=0.01 * scale, **options).fit(X, y)
    model = Model(0.02, alpha_intercept=0.01, **options).fit(X[~new], y[~new])
    model.common_coef_, model.common_intercept_ = every.common_coef_, every.common_intercept_
    model.add_task(X[new], y[new])
    np.testing.assert_allclose(model.coef_[-1], every.coef_[-1], atol=1e-5)
    assert model.intercept_[-1] == pytest.approx(every.intercept_[-1], abs=1e-5)


@pytest.mark.parametrize("covariance", ["scalar", "diagonal", "full"])
def test_the_refit_is_near_where_tasks_are_many(covariance):
    X, y, new, _ = old_and_new(80)
    options = {"covariance": covariance, "task": "task", "alpha_common": 0}
    every = MeanRegularizedRegressor("reml", **options).fit(X, y)
    model = MeanRegularizedRegressor("reml", **options).fit(X[~new], y[~new])
    before = model.coef_.copy()
    model.add_task(X[new], y[new])
    np.testing.assert_array_equal(model.coef_[:-1], before)
    np.testing.assert_allclose(model.coef_[-1], every.coef_[-1], atol=0.05)
    mean, std = model.predict(X[new], return_std=True)
    mean_all, std_all = every.predict(X[new], return_std=True)
    np.testing.assert_allclose(mean, mean_all, atol=0.1)
    np.testing.assert_allclose(std, std_all, rtol=0.05)


def test_standard_errors_are_those_of_the_mixed_model():
    """At the same variances and w0, the new task's covariance is the formula of the fit."""
    X, y, _, _ = old_and_new(10)
    model = MeanRegularizedRegressor("reml", covariance="diagonal", task="task").fit(X, y)
    expected = model.coef_covariance_[3]
    again = X[X["task"] == 3].assign(task=99)
    model.add_task(again, y[X["task"] == 3])
    np.testing.assert_allclose(model.coef_covariance_[-1], expected, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(model.coef_[-1], model.coef_[3], atol=1e-8)


def test_sufficient_statistics_give_the_refit():
    X, y, new, _ = old_and_new(n_new=2)
    for alpha in (0.02, "reml"):
        streamed = MeanRegularizedRegressor(alpha, task="task").partial_fit(X[~new], y[~new])
        streamed.partial_fit(X[new], y[new])
        every = MeanRegularizedRegressor(alpha, task="task").fit(X, y)
        np.testing.assert_allclose(streamed.coef_, every.coef_, atol=1e-7)
        np.testing.assert_allclose(
            streamed.alpha_common_, every.alpha_common_, rtol=1e-6, atol=1e-12
        )


def test_a_few_rows_help():
    X, y, new, _ = old_and_new(40, n_new=10, n_rows=105, deviation=0.8)
    turn = X.groupby("task").cumcount().to_numpy()
    model = MeanRegularizedRegressor("reml", task="task", unseen="common")
    model.fit(X[~new & (turn < 15)], y[~new & (turn < 15)])
    test = new & (turn >= 10)
    losses = [np.mean((y[test] - model.predict(X[test])) ** 2)]
    few = new & (turn < 10)
    model.add_task(X[few], y[few])
    losses.append(np.mean((y[test] - model.predict(X[test])) ** 2))
    assert losses[1] < 0.8 * losses[0]
    assert model.tasks_[-10:].tolist() == list(range(30, 40))


def test_two_rows_do_not_undo_the_common_part():
    """Tasks weigh alike in the fit; still the few rows of a new one are few."""
    common, added = [], []
    for seed in range(4):
        X, y, new, truth = old_and_new(40, 20, 30, seed, deviation=0.3)
        model = MeanRegularizedRegressor(task="task").fit(X[~new], y[~new])
        few = X[new].groupby("task").head(2).index
        model.add_task(X.loc[few], y[few])
        theta = np.column_stack([truth.coef, truth.intercept])[20:]
        found = np.column_stack([model.coef_, model.intercept_])[20:]
        w0 = np.append(model.common_coef_, model.common_intercept_)
        common.append(((w0 - theta) ** 2).sum(axis=1).mean())
        added.append(((found - theta) ** 2).sum(axis=1).mean())
    assert np.mean(added) < 0.95 * np.mean(common)


def test_ids_and_weights():
    X, y, new, _ = old_and_new(8)
    X = X.assign(task=[f"t{i}" for i in X["task"]])
    model = MeanRegularizedRegressor(0.1, task="task").fit(X[~new], y[~new])
    late = X[new].assign(task="a task with a long name")
    twice = np.where(np.arange(new.sum()) < 5, 2.0, 0.0)
    model.add_task(late, y[new], sample_weight=twice)
    other = MeanRegularizedRegressor(0.1, task="task").fit(X[~new], y[~new])
    other.add_task(pd.concat([late.head(5)] * 2), np.tile(y[new][:5], 2))
    np.testing.assert_allclose(model.coef_[-1], other.coef_[-1])
    assert model.tasks_[-1] == "a task with a long name"
    assert np.isfinite(model.predict(pd.concat([X[~new], late]))).all()


def test_refusals():
    X, y, new, _ = old_and_new(8, classification=True)
    model = MeanRegularizedClassifier(0.1, task="task").fit(X[~new], y[~new])
    with pytest.raises(ValueError, match="not in training"):
        model.add_task(X.head(3), y[:3])
    with pytest.raises(ValueError, match="classes of training"):
        model.add_task(X[new], np.full(new.sum(), 7))
    alone = MeanRegularizedRegressor(0.1).fit(X.drop(columns="task"), y)
    with pytest.raises(ValueError, match="task column"):
        alone.add_task(X.drop(columns="task"), y)
