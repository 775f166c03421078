"""Relatedness against worlds whose truth is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polytask import MeanRegularizedRegressor
from polytask.datasets import (
    make_clustered_tasks,
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
)
from polytask.inspection import TaskRelatedness
from polytask.inspection.related import effective_rank, spectrum_shares
from polytask.inspection.related.groups import _silhouette
from polytask.inspection.related.mean_correlation import _mean_and_variance
from tests.effort import calls
from tests.inspection.example import example_related


def relatedness(make, m=24, d=6, n=40, seed=0, **options):
    X, y, truth = make(m, d, n, random_state=seed, **options)
    return TaskRelatedness.from_data(X, y, task="task", random_state=0), truth


def pairs(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


def true_correlation(W):
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize(
    ("make", "n", "error"),
    [
        (make_related_tasks, 20, 0.05),  # measured .023 to .033
        (make_independent_tasks, 20, 0.27),  # measured .169 to .230: each pair for itself
        (make_independent_tasks, 30, 0.22),  # measured .154 to .180
    ],
)
def test_correlations_are_the_true_ones_without_attenuation(make, n, error, seed):
    found, truth = relatedness(make, n=n, seed=seed)
    true = true_correlation(truth.coef)
    assert abs(pairs(found.correlation).mean() - pairs(true).mean()) < 0.06
    assert found.mean_correlation.low <= found.mean_correlation.value
    assert np.sqrt(np.mean((pairs(found.correlation) - pairs(true)) ** 2)) < error
    assert np.linalg.eigvalsh(found.correlation)[0] > -1e-9


def test_words_follow_the_truth():
    assert relatedness(make_related_tasks)[0].text.startswith("The tasks are closely related.")
    alone = relatedness(make_independent_tasks)[0].text
    assert alone.startswith("The tasks have little in common on average.")
    assert "No groups stand out" in alone


@pytest.mark.parametrize("make", [make_low_rank_tasks, make_independent_tasks, make_related_tasks])
def test_intervals_of_the_effective_rank_and_of_the_mean_correlation_hold_the_truth(make):
    held = []
    for seed in range(4):
        found, truth = relatedness(make, m=16, d=6, n=20, seed=seed)
        rank, correlation = found.effective_rank, found.mean_correlation
        true = effective_rank(spectrum_shares(truth.coef)), pairs(true_correlation(truth.coef))
        held.append((
            rank.low - 0.02 <= true[0] <= rank.high + 0.02,
            correlation.low <= true[1].mean() <= correlation.high,
        ))  # fmt: skip
    assert np.all(np.sum(held, axis=0) >= 3)


def test_variance_of_a_mean_correlation_is_that_of_leaving_tasks_out():
    W = np.random.default_rng(0).normal(size=(6, 3)) + 1
    mean, variance = _mean_and_variance(W, 6)
    without = [pairs(true_correlation(np.delete(W, i, axis=0))).mean() for i in range(6)]
    assert mean == pytest.approx(pairs(true_correlation(W)).mean())
    assert variance == pytest.approx(5 * np.var(without))


def test_a_mean_correlation_of_two_tasks_has_an_interval():
    found = relatedness(make_related_tasks, m=2, n=40)[0].mean_correlation
    assert -1 <= found.low < found.value < found.high <= 1


def test_low_rank_is_seen():
    found, _ = relatedness(make_low_rank_tasks, d=10, n=60, rank=2)
    assert found.effective_rank.high < 2.3
    assert found.spectrum[:2].sum() > 0.95


def test_short_tasks_have_a_rank_without_an_interval():
    found, _ = relatedness(make_related_tasks, d=8, n=5)
    assert np.isnan(found.effective_rank.low)
    assert 1 <= found.effective_rank.value <= 8
    assert "too few tasks determine" in found.text


def test_clusters_are_found_and_stable(seed):
    found, truth = relatedness(make_clustered_tasks, d=10, n=40, seed=seed, n_clusters=3)
    assert found.groups.count == len(np.unique(found.groups.labels)) >= 2
    assert adjusted_rand_score(truth.labels, found.groups.labels) > 0.5  # two may be near
    assert found.groups.stability > 0.9
    assert sorted(found.groups.order) == list(range(24))


@pytest.mark.parametrize("make", [make_related_tasks, make_independent_tasks])
def test_no_groups_where_there_are_none(make, seed):
    assert relatedness(make, seed=seed)[0].groups.count == 1


def test_outlier_tasks_are_named():
    found, truth = relatedness(make_outlier_tasks, m=30, n=40, n_outliers=9)
    called = found.outliers["outlier"].to_numpy()
    assert called[truth.labels == 1].mean() >= 0.7
    assert called[truth.labels == 0].sum() <= 1


@pytest.mark.parametrize("make", [make_related_tasks, make_independent_tasks, make_clustered_tasks])
def test_few_tasks_stand_apart_by_chance(make):
    found = [relatedness(make, seed=seed)[0].outliers["outlier"].sum() for seed in range(3)]
    assert sum(found) <= 1


def test_coefficients_that_differ_are_told_apart():
    X, y, _ = make_related_tasks(30, 4, 40, deviation=0.0, random_state=0)
    y = y + np.repeat(np.random.default_rng(0).normal(size=30), 40) * X["x2"].to_numpy()
    found = TaskRelatedness.from_data(X, y, task="task").coefficients.set_index("feature")
    assert found.index[found["differs"]].tolist() == ["x2"]
    assert found.loc["x2", "spread_low"] < 1.0 < found.loc["x2", "spread_high"] + 0.2
    assert found.loc["x0", "spread"] < 0.1


def test_classes():
    X, y, _ = make_related_tasks(20, 4, 60, classification=True, random_state=0)
    found = TaskRelatedness.from_data(X, y, task="task")
    assert found.mean_correlation.value > 0.8
    assert "quasi-likelihood" in found.method[-1]


def test_units_of_features_and_order_of_rows_do_not_matter():
    X, y, _ = make_related_tasks(12, 4, 15, random_state=0)
    first = TaskRelatedness.from_data(X, y, task="task")
    other = X.assign(x0=100 * X["x0"] + 7, x1=-0.01 * X["x1"])
    order = np.random.default_rng(0).permutation(len(X))
    again = TaskRelatedness.from_data(other.iloc[order], y[order], task="task")
    np.testing.assert_allclose(again.correlation, first.correlation, atol=1e-4)
    assert again.coefficients["scale"][0] == pytest.approx(100 * first.coefficients["scale"][0])


def test_from_estimator_prepares_as_the_pipeline_does():
    X, y, _ = make_related_tasks(10, 3, 15, random_state=0)
    model = MeanRegularizedRegressor(task="task").fit(X, y)
    direct = TaskRelatedness.from_estimator(model, X, y, n_draws=20)
    np.testing.assert_array_equal(direct.tasks, model.tasks_)
    array = X.to_numpy(dtype=float)
    prepare = make_column_transformer((StandardScaler(), [0, 1, 2]), remainder="passthrough")
    scaled = make_pipeline(prepare, MeanRegularizedRegressor(task=3))
    scaled.fit(array, y)
    again = TaskRelatedness.from_estimator(scaled, array, y, n_draws=20)
    np.testing.assert_allclose(again.correlation, direct.correlation, atol=1e-6)
    with pytest.raises(ValueError, match="task of the estimator must name"):
        TaskRelatedness.from_estimator(MeanRegularizedRegressor(), X, y)


def test_what_cannot_be_used_is_named():
    X, y, _ = make_related_tasks(4, 2, 6, random_state=0)
    with pytest.raises(ValueError, match="features must be finite"):
        TaskRelatedness.from_data(X.assign(x0=np.nan), y, task="task")
    with pytest.raises(ValueError, match="features must be numbers"):
        TaskRelatedness.from_data(X.assign(x0="a"), y, task="task")
    with pytest.raises(ValueError, match="a feature must vary"):
        TaskRelatedness.from_data(X.assign(x0=1.0, x1=2.0), y, task="task")


@pytest.mark.parametrize("m", [2, 3, 5])
def test_few_tasks(m):
    found, _ = relatedness(make_related_tasks, m=m, n=15)
    assert found.correlation.shape == (m, m)
    assert len(found.outliers) == m


@pytest.mark.slow
def test_two_thousand_tasks_are_no_more_effort_a_task_than_a_hundred():
    few, many = (calls(lambda m=m: relatedness(make_related_tasks, m=m, n=10)) for m in (100, 400))
    assert many < 6 * few  # pairs are 16 times as many
    found, _ = relatedness(make_related_tasks, m=2000, n=10)
    assert found.correlation.shape == (2000, 2000)
    assert "correlation" not in found.to_dict()


def test_silhouette_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(20, 2)), np.arange(20) % 3 + 1
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = silhouette_score(distance, labels, metric="precomputed")
    assert _silhouette(distance, labels) == pytest.approx(expected)


def test_to_dict_is_json():
    text = json.dumps(example_related().to_dict(), allow_nan=False)
    assert json.loads(text)["groups"]["count"] >= 1
