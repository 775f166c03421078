"""Clusters that come back without a part of the rows, and those that do not."""

import numpy as np
import pytest

from polytask import SingleTaskRegressor, TaskClustersRegressor
from polytask.datasets import make_clustered_tasks, make_independent_tasks
from polytask.inspection import cluster_stability

OPTIONS = {"alpha_ridge": 1e-3, "task": "task"}


def test_planted_clusters_come_back_and_chance_does_not() -> None:
    X, y, truth = make_clustered_tasks(9, 6, 40, n_clusters=3, random_state=3)
    model = TaskClustersRegressor(0.1, n_clusters=3, **OPTIONS).fit(X, y)
    sure = cluster_stability(model, X, y, n_folds=4)
    np.testing.assert_array_equal(sure.together, np.equal.outer(truth.labels, truth.labels))
    assert (sure.stability == 1).all()
    assert "same clusters" in sure.text
    X, y, _ = make_independent_tasks(9, 6, 10, noise=3.0, random_state=3)
    model = TaskClustersRegressor(0.1, n_clusters=3, **OPTIONS).fit(X, y)
    before = model.coef_.copy()
    unsure = cluster_stability(model, X, y, n_folds=4)
    assert unsure.stability.mean() < 0.9
    least = unsure.tasks[unsure.stability.argmin()]
    assert f"least sure is {least}, {100 * unsure.stability.min():.0f} %" in unsure.text
    np.testing.assert_array_equal(model.coef_, before)
    assert model.alpha_intercept == "auto"


def test_wide_labels_with_gaps() -> None:
    rng = np.random.default_rng(0)
    X, sign = rng.normal(size=(80, 3)), np.array([1, -1, 1, -1])
    Y = np.outer(X[:, 0], sign) + 0.1 * rng.normal(size=(80, 4))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    model = TaskClustersRegressor(0.05, alpha_ridge=1e-3).fit(X, Y)
    found = cluster_stability(model, X, Y, n_folds=3)
    np.testing.assert_array_equal(found.together, np.equal.outer(sign, sign))


def test_models_without_clusters_are_refused() -> None:
    X, y, _ = make_independent_tasks(3, 2, 10, random_state=0)
    with pytest.raises(ValueError, match=r"with clusters_, .*; got SingleTaskRegressor"):
        cluster_stability(SingleTaskRegressor(0.1, task="task").fit(X, y), X, y)
