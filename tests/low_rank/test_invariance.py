"""Learned directions depend on the data only; chosen sizes are those of a plain loop; limits."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from polytask import (
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledRegressor,
    ProjectedLowRankClassifier,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedClassifier,
    ProjectedMeanRegularizedRegressor,
)
from polytask.data import Rows, make_task_data
from polytask.datasets import make_low_rank_tasks
from polytask.tuning.folds import held_out_folds
from polytask.tuning.low_rank import rank_grid

M, D = 12, 6


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, np.ndarray]:
    X, y, _ = make_low_rank_tasks(M, D, 25, rank=2, noise=0.5, random_state=0)
    return X, y


def target(model: Any, y: np.ndarray) -> np.ndarray:
    return (y > np.median(y)).astype(int) if hasattr(model, "predict_proba") else y


LEARNED = [
    ProjectedLowRankRegressor(alpha=0.02, n_components=2, task="task"),
    ProjectedLowRankRegressor(alpha=0.0, n_components=2, penalty="rank", task="task"),
    ProjectedLowRankClassifier(alpha=0.01, n_components=2, task="task"),
    ProjectedMeanRegularizedRegressor(alpha=0.001, n_components=3, task="task"),
    ProjectedMeanRegularizedClassifier(alpha=0.01, n_components=2, task="task"),
]


@pytest.mark.parametrize("model", LEARNED)
def test_rows_in_another_order_print_the_same_directions(sample, model):
    X, y = sample
    y = target(model, y)
    order = np.random.default_rng(1).permutation(len(y))
    tight = clone(model).set_params(tol=1e-9)
    one, two = clone(tight).fit(X, y), clone(tight).fit(X.iloc[order], y[order])
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-12)
    np.testing.assert_allclose(one.components_, two.components_, atol=1e-6)
    np.testing.assert_allclose(one.task_coef_, two.task_coef_, atol=1e-6)


@pytest.mark.parametrize("model", LEARNED)
def test_tasks_by_another_name_and_order_print_the_same_directions(sample, model):
    X, y = sample
    y = target(model, y)
    tight = clone(model).set_params(tol=1e-9)
    renamed = X.assign(task=M - 1 - X["task"])
    one, two = clone(tight).fit(X, y), clone(tight).fit(renamed, y)
    np.testing.assert_allclose(one.components_, two.components_, atol=1e-6)
    np.testing.assert_allclose(one.coef_, two.coef_[::-1], atol=1e-6)


@pytest.mark.parametrize("model", LEARNED[3:])
def test_unseen_tasks_are_predicted_by_p_w0(sample, model):
    X, y = sample
    fitted = clone(model).set_params(unseen="common").fit(X, target(model, y))
    w0 = fitted.components_.T @ fitted.common_task_coef_
    np.testing.assert_allclose(fitted.common_coef_, w0, rtol=1e-14)
    new = X.assign(task=99).iloc[:20]
    features = new.drop(columns="task").to_numpy()
    f = features @ w0 + fitted.common_intercept_
    if hasattr(fitted, "decision_function"):
        np.testing.assert_allclose(fitted.decision_function(new), f, rtol=1e-13)
        np.testing.assert_array_equal(fitted.predict(new), fitted.classes_[(f > 0).astype(int)])
    else:
        np.testing.assert_allclose(fitted.predict(new), f, rtol=1e-13)
        by_features = fitted.transform(new) @ fitted.common_task_coef_
        np.testing.assert_allclose(by_features + fitted.common_intercept_, f, rtol=1e-12)


def plain_loop(model: Any, name: str, X: pd.DataFrame, y: np.ndarray) -> list[float]:
    """Mean held-out error of every size: fits of the public estimator on every fold."""
    rows = X.drop(columns="task").to_numpy()
    settings = SimpleNamespace(fit_intercept=True, task_weight="equal")
    data = make_task_data(settings, Rows(rows, X["task"].to_numpy()), y, None, None)
    fold, errors = held_out_folds(data, 5).fold, []
    for size in rank_grid(data):
        total = 0.0
        for k in range(5):
            train, test = data.row[fold != k], data.row[fold == k]
            fitted = clone(model).set_params(**{name: int(size)}).fit(X.iloc[train], y[train])
            error = (y[test] - fitted.predict(X.iloc[test])) ** 2
            total += float(data.weight[fold == k] @ error)
        errors.append(total)
    return errors


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LowRankRegressor(alpha=0.0, penalty="rank", task="task"), "max_rank"),
        pytest.param(LowRankRegressor(alpha=0.02, task="task"), "max_rank", marks=pytest.mark.slow),
        (ProjectedLowRankRegressor(alpha=0.0, penalty="rank", task="task"), "n_components"),
        (ProjectedMeanRegularizedRegressor(alpha=0.003, task="task"), "n_components"),
    ],
)
def test_the_chosen_size_is_that_of_a_plain_loop(sample, model, name):
    X, y = sample
    errors = plain_loop(model, name, X, y)
    chosen = clone(model).set_params(**{name: "cv"}).fit(X, y)
    best = int(np.argmin(errors))
    size = int(getattr(chosen, f"{name}_"))
    assert size == best + 1  # sizes are 1 to 6


@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
def test_as_many_directions_as_features_are_no_projection(sample, role):
    X, y = sample
    strengths = {"alpha": 0.02, "task": "task", "tol": 1e-9}
    low, projected = (LowRankRegressor, ProjectedLowRankRegressor)
    mean, both = (MeanRegularizedRegressor, ProjectedMeanRegularizedRegressor)
    if role == "Classifier":
        y = (y > np.median(y)).astype(int)
        low, projected = (LowRankClassifier, ProjectedLowRankClassifier)
        mean, both = (MeanRegularizedClassifier, ProjectedMeanRegularizedClassifier)
    one, two = low(**strengths).fit(X, y), projected(n_components=D, **strengths).fit(X, y)
    assert two.objective_ == pytest.approx(one.objective_, rel=1e-6)
    rank = {"alpha": 0.01, "penalty": "rank", "task": "task"}
    one, two = low(**rank).fit(X, y), projected(n_components=D, **rank).fit(X, y)
    assert two.objective_ == pytest.approx(one.objective_, rel=1e-6)
    strengths |= {"alpha_common": 0.01, "alpha_intercept": 0.02}
    one, two = mean(**strengths).fit(X, y), both(n_components=D, **strengths).fit(X, y)
    assert two.objective_ == pytest.approx(one.objective_, rel=1e-6)


@pytest.mark.parametrize("k", [1, 2, D])
def test_alpha_without_end_is_the_pooled_model(sample, k):
    X, y = sample
    pooled = PooledRegressor(alpha=0.0, task="task").fit(X, y)
    model = ProjectedMeanRegularizedRegressor(alpha=1e6, n_components=k, task="task").fit(X, y)
    np.testing.assert_allclose(model.coef_, np.tile(pooled.coef_[:1], (M, 1)), atol=1e-6)
    np.testing.assert_allclose(model.predict(X), pooled.predict(X), atol=1e-6)
    assert model.status_ == "solved"


@pytest.mark.parametrize("model", LEARNED[2:])
def test_turned_features_turn_the_coefficients(sample, model):
    X, y = sample
    y = target(model, y)
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(D, D)))[0]
    turned = X.copy()
    turned[[f"x{j}" for j in range(D)]] = X.drop(columns="task").to_numpy() @ Q
    tight = clone(model).set_params(tol=1e-9)
    one, two = clone(tight).fit(X, y), clone(tight).fit(turned, y)
    assert one.objective_ == pytest.approx(two.objective_, rel=1e-10)
    np.testing.assert_allclose(one.coef_ @ Q, two.coef_, atol=1e-6)
    spaces = np.linalg.svd(one.components_ @ Q @ two.components_.T, compute_uv=False)
    np.testing.assert_allclose(spaces, 1.0, atol=1e-8)
