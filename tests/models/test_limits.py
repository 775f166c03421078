"""A model whose strength runs out of bounds is another model."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import polytask
from tests.models.helpers import ROLES, long_table


def model(stem: str, role: str):
    return getattr(polytask, stem + role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("ridge", [0.05, 1.0])
@pytest.mark.parametrize("task_weight", ["equal", "size"])
def test_large_alpha_is_pooled(role: str, ridge: float, task_weight: str) -> None:
    Z, y = long_table(role)
    options = {"task": 0, "task_weight": task_weight, "tol": 1e-12}
    joint = model("MeanRegularized", role)(1e9, alpha_common=ridge, alpha_intercept=1e9, **options)
    one = model("Pooled", role)(ridge, **options)
    joint.fit(Z, y)
    one.fit(Z, y)
    np.testing.assert_allclose(joint.coef_, one.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(joint.intercept_, one.intercept_, rtol=1e-6, atol=1e-7)
    assert joint.objective_ == pytest.approx(one.objective_, rel=1e-6)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("alpha", [0.01, 0.5])
def test_large_alpha_common_is_single_task(role: str, alpha: float) -> None:
    Z, y = long_table(role)
    level = 0.0 if role == "Regressor" else 0.05
    joint = model("MeanRegularized", role)(
        alpha, alpha_common=1e9, alpha_intercept=0.0, task=0, fit_intercept=level == 0, tol=1e-12
    ).fit(Z, y)
    alone = model("SingleTask", role)(
        alpha, alpha_intercept=0.0, task=0, fit_intercept=level == 0, tol=1e-12
    ).fit(Z, y)
    np.testing.assert_allclose(joint.coef_, alone.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(joint.intercept_, alone.intercept_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(joint.common_coef_, 0.0, atol=1e-7)


@pytest.mark.parametrize("role", ROLES)
def test_large_alpha_alone_is_task_intercepts(role: str) -> None:
    Z, y = long_table(role)
    joint = model("MeanRegularized", role)(
        1e9, alpha_common=0.1, alpha_intercept=0.3, task=0, tol=1e-12
    ).fit(Z, y)
    levels = model("TaskIntercept", role)(0.1, alpha_intercept=0.3, task=0, tol=1e-12).fit(Z, y)
    np.testing.assert_allclose(joint.coef_, levels.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(joint.intercept_, levels.intercept_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("role", ROLES)
def test_task_intercepts_far_apart_and_together(role: str) -> None:
    Z, y = long_table(role)
    together = model("TaskIntercept", role)(0.1, alpha_intercept=1e9, task=0, tol=1e-12).fit(Z, y)
    one = model("Pooled", role)(0.1, task=0, tol=1e-12).fit(Z, y)
    np.testing.assert_allclose(together.coef_, one.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(together.intercept_, one.intercept_, rtol=1e-6, atol=1e-7)


def test_free_intercepts_are_ridge_on_one_hot_ids() -> None:
    Z, y = long_table()
    ours = polytask.TaskInterceptRegressor(0.1, alpha_intercept=0.0, task=0, task_weight="size")
    ours.fit(Z, y)
    centered = Z[:, 1:].copy(), y.copy()
    for i in range(4):
        mine = Z[:, 0] == i
        for values in centered:
            values[mine] -= values[mine].mean(axis=0)
    ridge = Ridge(alpha=2 * 0.1 * len(y), fit_intercept=False).fit(*centered)
    np.testing.assert_allclose(ours.coef_[0], ridge.coef_, rtol=1e-9)


def test_penalized_intercepts_are_ridge_on_one_hot_ids() -> None:
    """With b0 free: ridge with an intercept on features and scaled dummies of the tasks."""
    Z, y = long_table()
    alpha, level = 0.1, 0.02
    ours = polytask.TaskInterceptRegressor(alpha, alpha_intercept=level, task=0, task_weight="size")
    ours.fit(Z, y)
    dummies = (Z[:, :1] == np.arange(4)) * np.sqrt(alpha / level)
    ridge = Ridge(alpha=2 * alpha * len(y)).fit(np.hstack([Z[:, 1:], dummies]), y)
    np.testing.assert_allclose(ours.coef_[0], ridge.coef_[:4], rtol=1e-9)
    levels = ridge.intercept_ + ridge.coef_[4:] * np.sqrt(alpha / level)
    np.testing.assert_allclose(ours.intercept_, levels, rtol=1e-9)


@pytest.mark.parametrize("stem", ["TaskIntercept", "MeanRegularized"])
@pytest.mark.parametrize("role", ROLES)
def test_free_intercepts_have_their_mean_in_common(stem: str, role: str) -> None:
    """The split is free at alpha_intercept=0; an unseen task gets the limit, not zero."""
    Z, y = long_table(role, sizes=(40, 60, 50))
    y = y + 50.0 if role == "Regressor" else y
    free, nearly = (
        model(stem, role)(0.1, alpha_intercept=a, task=0, tol=1e-10).fit(Z, y) for a in (0.0, 1e-7)
    )
    assert free.common_intercept_ == pytest.approx(free.intercept_.mean(), rel=1e-10)
    assert free.common_intercept_ == pytest.approx(nearly.common_intercept_, rel=1e-3)
    np.testing.assert_allclose(free.common_coef_, nearly.common_coef_, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("role", ROLES)
def test_strength_per_coefficient(role: str) -> None:
    Z, y = long_table(role)
    Model = model("MeanRegularized", role)
    one = Model(0.2, task=0, tol=1e-12).fit(Z, y)
    many = Model([0.2] * 4, task=0, tol=1e-12).fit(Z, y)
    np.testing.assert_allclose(one.coef_, many.coef_, rtol=1e-9, atol=1e-12)
    assert many.alpha_intercept_ == pytest.approx(0.2)
    mixed = Model(np.array([1e9, 1e-4, 1e9, 1e9]), task=0, alpha_intercept=1e9).fit(Z, y)
    spread = np.ptp(mixed.coef_, axis=0)
    assert spread[1] > 1e-2
    assert spread[[0, 2, 3]].max() < 1e-6
    assert np.ptp(mixed.intercept_) < 1e-6


def test_intercepts_and_slopes_have_strengths_of_their_own() -> None:
    Z, y = long_table()
    Model = polytask.MeanRegularizedRegressor
    slopes = Model(1e9, alpha_intercept=1e-6, task=0).fit(Z, y)
    levels = Model(1e-6, alpha_intercept=1e9, task=0).fit(Z, y)
    assert np.ptp(slopes.coef_, axis=0).max() < 1e-6 < 0.1 < np.ptp(slopes.intercept_)
    assert np.ptp(levels.intercept_) < 1e-6 < 0.1 < np.ptp(levels.coef_, axis=0).max()


def test_one_task_is_scikit_learns_model() -> None:
    Z, y = long_table()
    X = Z[:, 1:]
    ridge = Ridge(alpha=2 * 0.1 * len(y), tol=1e-12).fit(X, y)
    for ours in (polytask.SingleTaskRegressor(0.1), polytask.PooledRegressor(0.1)):
        np.testing.assert_allclose(ours.fit(X, y).coef_[0], ridge.coef_, rtol=1e-9)
    label = (y > 0).astype(int)
    theirs = LogisticRegression(C=1 / (2 * 0.1 * len(y)), tol=1e-10, max_iter=1000).fit(X, label)
    ours = polytask.PooledClassifier(0.1).fit(X, label)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("role", ROLES)
def test_single_task_is_each_task_alone(role: str) -> None:
    """Task i solves 1/n_i sum loss + m alpha ‖w_i‖², as documented."""
    Z, y = long_table(role, sizes=(20, 30, 25))
    Model = model("SingleTask", role)
    joint = Model(0.1, task=0, tol=1e-12).fit(Z, y)
    for i in range(3):
        mine = Z[:, 0] == i
        alone = Model(0.1 * 3, tol=1e-12).fit(Z[mine, 1:], y[mine])
        np.testing.assert_allclose(joint.coef_[i], alone.coef_[0], rtol=1e-7, atol=1e-9)
