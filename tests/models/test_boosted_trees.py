"""Gradient boosting with the task as a category, and the default models."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from polytask import MeanRegularizedRegressor
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


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_few_rows_are_taken(n):
    X, y = levels(12, n=1)
    model = BoostedTreesRegressor(task="task").fit(X[:n], y[:n])
    np.testing.assert_allclose(model.predict(X[:n]), y[:n].mean())


@pytest.mark.parametrize("rare", [1, 2, 4, 6])
def test_a_rare_class_beside_many_tasks(rare):
    X, _ = levels(300, n=2)
    labels = np.where(np.arange(600) < rare, "yes", "no")
    model = BoostedTreesClassifier(task="task").fit(X, labels)
    assert model.notes_
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_column_without_a_value_is_no_feature():
    X, y = levels(8, n=30)
    expected = BoostedTreesRegressor(task="task").fit(X, y).predict(X)
    model = BoostedTreesRegressor(task="task").fit(X.assign(none=np.nan), y)
    np.testing.assert_allclose(model.predict(X.assign(none=3.0)), expected)


RANDOM = "which tenth of the rows is held out is drawn by position"


@parametrize_with_checks(
    [BoostedTreesRegressor(max_iter=20), BoostedTreesClassifier(max_iter=20)],
    expected_failed_checks=lambda model: (
        {f"check_sample_weight_equivalence_on_{kind}_data": RANDOM for kind in ("dense", "sparse")}
        if isinstance(model, BoostedTreesRegressor)
        else {}
    ),
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn's, of its own input
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


X, Y = levels(4, n=15)
NUMBERS = X.assign(task=np.repeat(range(4), 15)).to_numpy()
REFUSED = {
    "None": (None, 1), "a scalar": (3.0, 1), "text": ("abc", 1),
    "one dimension": (NUMBERS[:, 0], 1),
    "three dimensions": (NUMBERS[:, :, None], 1), "no row": (NUMBERS[:0], 1),
    "a plan": (pl.from_pandas(X).lazy(), "task"), "complex": (NUMBERS.astype(complex), 1),
    "ragged": ([[1, 2], [1]] * 30, 1), "no such task": (X, "tsak"),
    "no such position": (NUMBERS, 9), "infinity": (X.assign(x=np.inf), "task"),
    "lists in cells": (X.assign(x=[[1, 2]] * 60), "task"),
    "a name twice": (pd.concat([X, X["x"]], axis=1), "task"),
    "ids missing": (X.assign(task=None), "task"),
    "names of two types": (X.set_axis([0, "a"], axis=1), 0),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("Model", [BoostedTreesRegressor, MeanRegularizedRegressor])
def test_input_is_checked_as_by_the_others(case, Model):
    table, task = REFUSED[case]
    with pytest.raises((ValueError, TypeError)):
        Model(task=task).fit(table, Y)
    with pytest.raises(NotFittedError):
        Model(task=task).predict(X)


@pytest.mark.parametrize("case", ["lists", "integer names", "half floats"])
@pytest.mark.parametrize("Model", [BoostedTreesRegressor, MeanRegularizedRegressor])
def test_input_is_taken_as_by_the_others(case, Model):
    table = {
        "lists": NUMBERS.tolist(), "integer names": pd.DataFrame(NUMBERS).astype(float),
        "half floats": NUMBERS.astype(np.float16),
    }[case]  # fmt: skip
    expected = Model(task=1).fit(NUMBERS.astype(float), Y).predict(NUMBERS.astype(float))
    np.testing.assert_allclose(Model(task=1).fit(table, Y).predict(table), expected, atol=0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf, None, "a"])
@pytest.mark.parametrize("Model", [BoostedTreesRegressor, MeanRegularizedRegressor])
def test_a_bad_target_is_refused_as_by_the_others(bad, Model):
    with pytest.raises(ValueError, match=r"Input y|could not convert"):
        Model(task=1).fit(NUMBERS.astype(float), [*Y[:-1], bad])


@pytest.mark.parametrize("weight", [1e-300, 1e300, 5e-324, -1.0, np.nan])
@pytest.mark.parametrize("Model", [BoostedTreesRegressor, MeanRegularizedRegressor])
def test_a_bad_weight_is_refused_as_by_the_others(weight, Model):
    with pytest.raises(ValueError, match="sample_weight"):
        Model(task=1).fit(NUMBERS.astype(float), Y, sample_weight=[*np.ones(59), weight])
