"""The estimators of the low-rank family: attributes, identities, choices, features."""

import numpy as np
import pytest
from sklearn.base import clone

import polytask
from polytask import (
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedRegressor,
    ProjectedLowRankClassifier,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedClassifier,
    ProjectedMeanRegularizedRegressor,
)
from polytask.datasets import make_low_rank_tasks, make_related_tasks

REGRESSORS = [LowRankRegressor, ProjectedLowRankRegressor, ProjectedMeanRegularizedRegressor]
CLASSIFIERS = [LowRankClassifier, ProjectedLowRankClassifier, ProjectedMeanRegularizedClassifier]


@pytest.fixture(scope="module")
def sample():
    return make_low_rank_tasks(12, 6, 25, rank=2, noise=0.3, random_state=0)


@pytest.fixture(scope="module")
def labels():
    return make_low_rank_tasks(12, 6, 40, rank=2, noise=0.3, classification=True, random_state=0)


@pytest.mark.parametrize("model", REGRESSORS)
def test_regressors_find_the_truth(sample, model):
    X, y, truth = sample
    fitted = model(task="task").fit(X, y)
    assert np.mean((fitted.coef_ - truth.coef) ** 2) < 0.3 * np.mean(truth.coef**2)
    assert fitted.score(X, y) > 0.7
    assert len(fitted.alpha_path_) == len(fitted.cv_scores_)


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_classifiers_beat_chance(labels, model):
    X, y, _ = labels
    fitted = model(alpha=1e-3, task="task").fit(X, y)
    assert fitted.score(X, y) > 0.8
    assert fitted.predict_proba(X).shape == (len(y), 2)


def test_attributes_say_what_coef_is(sample):
    X, y, _ = sample
    for penalty in ("nuclear", "rank"):
        model = LowRankRegressor(alpha=0.02, penalty=penalty, task="task").fit(X, y)
        assert model.rank_ == np.linalg.matrix_rank(model.coef_) == len(model.components_)
        np.testing.assert_allclose(
            model.singular_values_, np.linalg.svd(model.coef_)[1][: model.rank_]
        )
        V = model.components_
        np.testing.assert_allclose(V @ V.T, np.eye(model.rank_), atol=1e-10)
        np.testing.assert_allclose(model.coef_ @ V.T @ V, model.coef_, atol=1e-10)
        assert (V[np.arange(len(V)), np.abs(V).argmax(axis=1)] > 0).all()


def test_rank_is_found_where_it_is_planted(sample):
    X, y, _ = sample
    assert LowRankRegressor(penalty="rank", task="task").fit(X, y).rank_ == 2
    assert LowRankRegressor(alpha=0.0, max_rank="cv", task="task").fit(X, y).rank_ == 2
    model = ProjectedMeanRegularizedRegressor(task="task").fit(X, y)
    assert model.n_components_ in (2, 3)


def test_split_form_finds_the_mean():
    X, y, truth = make_related_tasks(12, 6, 40, deviation=0.1, noise=0.2, random_state=0)
    model = LowRankRegressor(alpha=0.05, common=True, task="task", unseen="common").fit(X, y)
    assert np.linalg.norm(model.common_coef_ - truth.common) < 0.2
    np.testing.assert_allclose(model.common_coef_ + model.deviation_coef_, model.coef_)
    X = X.assign(task=99)
    expected = X.drop(columns="task") @ model.common_coef_ + model.common_intercept_
    np.testing.assert_allclose(model.predict(X), expected)


@pytest.mark.parametrize("alpha", [0.02, 0.1])
def test_projected_low_rank_is_low_rank_where_k_does_not_bind(sample, alpha):
    X, y, _ = sample
    free = LowRankRegressor(alpha=alpha, task="task", tol=1e-10).fit(X, y)
    for k in {6, None, free.rank_}:
        model = ProjectedLowRankRegressor(alpha=alpha, n_components=k, task="task", tol=1e-10)
        model.fit(X, y)
        assert model.objective_ == pytest.approx(free.objective_, rel=1e-6)
        assert model.certificate_ == "global"
        np.testing.assert_allclose(model.task_coef_ @ model.components_, model.coef_)
        np.testing.assert_allclose(model.coef_, free.coef_, atol=1e-4)


def test_projected_mean_regularized_is_mean_regularized_at_full_size(sample):
    X, y, _ = sample
    strengths = {"alpha": 0.05, "alpha_common": 0.01, "alpha_intercept": 0.02, "task": "task"}
    expected = MeanRegularizedRegressor(**strengths).fit(X, y)
    model = ProjectedMeanRegularizedRegressor(n_components=6, **strengths).fit(X, y)
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-6)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    np.testing.assert_allclose(model.common_coef_, expected.common_coef_, atol=1e-6)


PROJECTED = [
    ProjectedLowRankRegressor(alpha=0.02, n_components=2, task="task"),
    ProjectedLowRankRegressor(alpha=0.02, n_components=5, penalty="rank", task="task"),
    ProjectedMeanRegularizedRegressor(alpha=1e-4, n_components=2, task="task"),
]


@pytest.mark.parametrize("model", PROJECTED)
def test_directions_are_orthonormal_and_printed_alike(sample, model):
    X, y, _ = sample
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    P = first.components_
    np.testing.assert_allclose(P @ P.T, np.eye(len(P)), atol=1e-10)
    np.testing.assert_array_equal(P, second.components_)
    assert (P[np.arange(len(P)), np.abs(P).argmax(axis=1)] > 0).all()
    np.testing.assert_allclose(first.transform(X), X.drop(columns="task").to_numpy() @ P.T)


@pytest.mark.parametrize("model", [*PROJECTED, LowRankRegressor(alpha=0.02, task="task")])
def test_rotated_features_rotate_the_coefficients(sample, model):
    X, y, _ = sample
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    rotated = X.copy()
    rotated[[f"x{j}" for j in range(6)]] = X.drop(columns="task").to_numpy() @ Q
    tight = clone(model).set_params(tol=1e-12)
    one, two = clone(tight).fit(X, y), clone(tight).fit(rotated, y)
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-8)
    np.testing.assert_allclose(one.predict(X), two.predict(rotated), atol=1e-3)
    np.testing.assert_allclose(one.coef_ @ Q, two.coef_, atol=1e-3)


@pytest.mark.parametrize("model", PROJECTED)
def test_new_task_is_learned_from_a_handful_of_rows(model):
    X, y, truth = make_low_rank_tasks(30, 12, 30, rank=2, noise=0.2, random_state=1)
    fitted = clone(model).fit(X, y)
    rng = np.random.default_rng(0)
    w = truth.components.T @ np.array([1.0, -0.7])
    Z = rng.normal(size=(6, 12))
    head = fitted.fit_task(Z, Z @ w + 0.1 * rng.normal(size=6))
    assert np.linalg.norm(head.coef - w) < 0.5 * np.linalg.norm(w)
    np.testing.assert_allclose(head.predict(Z), Z @ head.coef + head.intercept)


def test_new_task_of_a_classifier_has_classes(labels):
    X, y, _ = labels
    model = ProjectedMeanRegularizedClassifier(alpha=0.01, n_components=2, task="task").fit(X, y)
    Z = X.drop(columns="task").to_numpy()[:20]
    head = model.fit_task(Z, y[:20])
    assert set(head.predict(Z)) <= set(model.classes_)
    with pytest.raises(ValueError, match="classes of training"):
        model.fit_task(Z, y[:20] + 7)


def test_new_head_is_the_one_that_training_would_have_given(sample):
    # The objective of a task given everything else: its own fitted head is already the best.
    X, y, _ = sample
    model = ProjectedMeanRegularizedRegressor(alpha=0.01, n_components=2, task="task", tol=1e-14)
    model.fit(X, y)
    mine = (X["task"] == 3).to_numpy()
    head = model.fit_task(X[mine].drop(columns="task").to_numpy(), y[mine])
    np.testing.assert_allclose(head.coef, model.coef_[3], atol=1e-8)
    assert head.intercept == pytest.approx(model.intercept_[3], abs=1e-8)


def test_path_starts_at_zero_and_meets_single_fits(sample):
    X, y, _ = sample
    path = polytask.low_rank_path(LowRankRegressor(task="task"), X, y, n_alphas=6)
    assert path.ranks[0] == 0
    assert path.ranks[1] > 0
    assert (path.gaps <= 1e-7).all()
    alone = LowRankRegressor(alpha=path.alphas[3], task="task").fit(X, y)
    assert alone.objective_ == pytest.approx(path.objectives[3], rel=1e-6)
    with pytest.raises(ValueError, match="penalty='nuclear'"):
        polytask.low_rank_path(LowRankRegressor(penalty="rank"), X, y)


def test_wide_labels_with_shared_rows_have_a_global_rank_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    Y = X @ rng.normal(size=(8, 2)) @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(60, 5))
    model = LowRankRegressor(alpha=0.05, penalty="rank").fit(X, Y)
    assert model.certificate_ == "global"
    assert model.rank_ == 2
    Y[3, 2] = np.nan  # rows are no longer the same in all tasks
    assert LowRankRegressor(alpha=0.05, penalty="rank").fit(X, Y).certificate_ == "stationary"


def test_reaching_max_iter_warns_with_the_gap(sample):
    X, y, _ = sample
    with pytest.warns(UserWarning, match="relative duality gap"):
        LowRankRegressor(alpha=1e-3, task="task", tol=1e-12, max_iter=3).fit(X, y)


def test_projected_mean_regularized_without_intercepts(sample):
    X, y, _ = sample
    strengths = {"alpha": 0.05, "alpha_common": 0.01, "fit_intercept": False, "task": "task"}
    expected = MeanRegularizedRegressor(**strengths).fit(X, y)
    model = ProjectedMeanRegularizedRegressor(n_components=6, **strengths).fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
    narrow = ProjectedMeanRegularizedRegressor(n_components=2, **strengths).fit(X, y)
    assert narrow.objective_ >= expected.objective_
    assert (narrow.intercept_ == 0).all()


def test_separable_classes_have_an_optimum_that_weights_and_repeats_share():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(15) % 5, rng.random((15, 29))])  # more features than rows
    y, weight = (rng.random(15) > 0.4).astype(int), rng.integers(1, 4, size=15)
    model = ProjectedMeanRegularizedClassifier(alpha=0.1, n_components=1, task=0)
    one = clone(model).fit(X, y, sample_weight=weight)
    two = clone(model).fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert one.alpha_common_ > 0
    np.testing.assert_allclose(one.decision_function(X), two.decision_function(X), rtol=1e-6)
