"""The generators return the truth that made the sample."""

import numpy as np
import pytest

from polytask.datasets import (
    make_clustered_tasks,
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
)

GENERATORS = [
    make_clustered_tasks,
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
]


@pytest.fixture(params=GENERATORS, ids=lambda make: make.__name__)
def make(request):
    return request.param


def test_without_noise_the_truth_predicts_exactly(make, seed):
    X, y, truth = make(n_tasks=6, n_features=4, n_rows=(1, 9), noise=0.0, random_state=seed)
    features = X.drop(columns="task").to_numpy()
    task = X["task"].to_numpy()
    predicted = (features * truth.coef[task]).sum(axis=1) + truth.intercept[task]
    np.testing.assert_allclose(y, predicted, atol=1e-12)


def test_shapes_and_ids(make):
    X, y, truth = make(n_tasks=6, n_features=4, n_rows=5, random_state=0)
    assert list(X) == ["x0", "x1", "x2", "x3", "task"]
    assert X.shape == (30, 5)
    assert y.shape == (30,)
    assert truth.coef.shape == (6, 4)
    np.testing.assert_array_equal(X["task"].unique(), truth.tasks)


def test_range_of_rows_holds_both_ends():
    X, _, _ = make_independent_tasks(n_tasks=200, n_features=1, n_rows=(2, 4), random_state=0)
    assert set(X.groupby("task").size()) == {2, 3, 4}


def test_same_seed_same_sample(make):
    first, again = make(random_state=3), make(random_state=3)
    assert first[0].equals(again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], make(random_state=4)[1])


def test_classification_follows_the_logistic_model(make):
    X, y, truth = make(
        n_tasks=5, n_features=4, n_rows=4000, noise=0.7, classification=True, random_state=0
    )
    assert set(y) == {0, 1}
    features, task = X.drop(columns="task").to_numpy(), X["task"].to_numpy()
    score = (features * truth.coef[task]).sum(axis=1) + truth.intercept[task]
    probability = 1 / (1 + np.exp(-score / truth.noise))
    # 20000 draws: five standard errors of a frequency.
    for low, high in [(0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)]:
        inside = (probability >= low) & (probability < high)
        error = abs(y[inside].mean() - probability[inside].mean())
        assert error < 5 * 0.5 / np.sqrt(inside.sum())


def test_signal_has_variance_about_one(make):
    X, y, truth = make(n_tasks=400, n_features=16, n_rows=50, noise=0.0, random_state=0)
    assert 0.5 < (y - truth.intercept[X["task"].to_numpy()]).var() < 2.0


def test_independent_tasks_share_no_level():
    _, _, truth = make_independent_tasks(n_tasks=400, random_state=0)
    assert 0.8 < truth.intercept.std() < 1.2
    _, _, flat = make_independent_tasks(n_tasks=400, level=0.0, random_state=0)
    assert np.ptp(flat.intercept) == 0
    np.testing.assert_array_equal(flat.coef, truth.coef)


def test_related_tasks_are_common_plus_deviation():
    _, _, truth = make_related_tasks(deviation=0.0, level=2.0, random_state=0)
    assert np.ptp(truth.coef, axis=0).max() == 0
    assert truth.intercept.std() > 0.5
    _, _, truth = make_related_tasks(deviation=0.5, random_state=0)
    np.testing.assert_allclose(truth.coef, truth.common + truth.deviations)


def test_low_rank_tasks_lie_in_the_span_of_orthonormal_components():
    _, _, truth = make_low_rank_tasks(rank=3, random_state=0)
    P = truth.components.T
    np.testing.assert_allclose(P.T @ P, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(truth.coef @ P @ P.T, truth.coef, atol=1e-12)
    assert np.linalg.matrix_rank(truth.coef) == 3


def test_clusters_are_balanced_and_share_a_centre():
    _, _, truth = make_clustered_tasks(n_tasks=10, n_clusters=3, deviation=0.0, random_state=0)
    assert sorted(np.bincount(truth.labels)) == [3, 3, 4]
    assert len(np.unique(truth.coef, axis=0)) == 3


def test_outliers_are_far_and_counted():
    _, _, truth = make_outlier_tasks(n_tasks=30, n_outliers=4, deviation=0.05, random_state=0)
    far = np.linalg.norm(truth.deviations, axis=1)
    assert truth.labels.sum() == 4
    assert far[truth.labels == 1].min() > far[truth.labels == 0].max()


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (make_low_rank_tasks, {"rank": 0}, r"rank must be in 1\.\.20; got 0"),
        (make_clustered_tasks, {"n_clusters": 21}, r"n_clusters must be in 1\.\.20; got 21"),
        (make_outlier_tasks, {"n_outliers": -1}, r"n_outliers must be in 0\.\.20; got -1"),
    ],
)
def test_impossible_parameters_are_named(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters)
