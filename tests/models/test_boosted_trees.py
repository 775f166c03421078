"""Gradient boosting with the task as a category, and the default models."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone

from polytask.inspection import (
    BoostedTreesClassifier,
    BoostedTreesRegressor,
    compare_tasks,
    default_estimators,
)


def levels(m, n=12, seed=0):
    """Tasks that differ in their level only."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(m), n)
    level = 3 * rng.standard_normal(m)
    X = pd.DataFrame({"x": rng.standard_normal(codes.size), "task": [f"t{c}" for c in codes]})
    return X, level[codes] + X["x"].to_numpy() + 0.3 * rng.standard_normal(codes.size)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_default_models_know_the_task_column(kind):
    found = default_estimators(kind, task="school")
    assert list(found)[:2] == ["single-task", "pooled"]
    assert {"task-intercept", "mean-regularized", "gradient-boosting"} <= set(found)
    assert {model.task for model in found.values()} == {"school"}


@pytest.mark.parametrize(
    ("m", "n", "by_target"), [(40, 30, False), (300, 30, True), (40, 12, True)]
)
def test_the_task_is_used_with_few_and_with_many_categories(m, n, by_target):
    X, y = levels(m, n)
    train = np.arange(len(y)) % 3 > 0
    model = BoostedTreesRegressor(task="task").fit(X[train], y[train])
    assert np.mean((model.predict(X[~train]) - y[~train]) ** 2) < 0.25 * y.var()
    assert bool(model.notes_) == by_target


def test_the_note_reaches_the_comparison():
    X, y = levels(260, n=4)
    models = dict.fromkeys(["single-task", "gradient-boosting"])
    found = compare_tasks(models, X, y, task="task", cv=2)
    assert any("at most 255 categories" in note for note in found.notes)


def test_text_missing_values_and_unseen_values_are_taken():
    X, y = levels(10, n=30)
    X["group"] = np.where(np.arange(len(y)) % 2, "1", "2")
    X["holes"] = np.where(np.arange(len(y)) % 3, 1.5, np.nan)
    y = y + 5 * (X["group"] == "1")
    model = BoostedTreesRegressor(task="task").fit(X, y)
    assert model.score(X, y) > 0.8
    new = X.head(4).copy()
    new.loc[0, "group"], new.loc[1, "group"], new.loc[2, "task"] = "3", None, "new"
    assert np.isfinite(model.predict(new)).all()


def test_every_container_gives_the_same_trees():
    X, y = levels(8, n=30)
    X["task"] = X["task"].str[1:].astype(int)
    expected = BoostedTreesRegressor(task="task").fit(X, y).predict(X)
    others = [(pl.from_pandas(X), "task"), (X.to_numpy(), 1), (sparse.csr_matrix(X.to_numpy()), 1)]
    for table, task in others:
        model = BoostedTreesRegressor(task=task).fit(table, y)
        np.testing.assert_allclose(model.predict(table), expected)


def test_classes_keep_their_names():
    X, y = levels(8, n=40)
    labels = np.where(y > 0, "yes", "no")
    model = clone(BoostedTreesClassifier(task="task")).fit(X, labels)
    assert list(model.classes_) == ["no", "yes"]
    assert model.predict_proba(X).shape == (320, 2)
    assert model.score(X, labels) > 0.8
