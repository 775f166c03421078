"""Weights of rows in a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, QuantileRegressor

from polytask import PooledClassifier, PooledRegressor, SingleTaskClassifier, SingleTaskRegressor
from polytask.inspection import compare_tasks
from polytask.model_selection import METRICS

FIGURES = ["gain", "low", "high", "shrunken", "p", "q", "loss"]


class ByParity:
    """Even rows of the first table against odd ones, wherever they stand."""

    def __init__(self, source: np.ndarray) -> None:
        self.source = source

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        for held in (0, 1):
            test = self.source % 2 == held
            yield np.flatnonzero(~test), np.flatnonzero(test)


def table(labels: bool = False) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(12), 20)
    X = pd.DataFrame({"a": rng.normal(size=240), "b": rng.normal(size=240), "task": task})
    y = X["a"] - 0.5 * X["b"] + rng.normal(size=12)[task] + rng.normal(size=240)
    weight = np.repeat(rng.integers(1, 4, 120), 2)  # even and odd rows weigh alike
    return X, (y > 0).to_numpy().astype(int) if labels else y.to_numpy().copy(), weight


def two(labels: bool = False) -> dict[str, Any]:
    if labels:
        return {
            "single-task": SingleTaskClassifier(0.1, task="task"),
            "pooled": PooledClassifier(0.1, task="task"),
        }
    return {
        "single-task": SingleTaskRegressor(0.1, task="task"),
        "pooled": PooledRegressor(0.1, task="task"),
    }


@pytest.mark.parametrize("labels", [False, True])
def test_a_weight_is_that_many_copies_that_are_one_observation(labels):
    X, y, weight = table(labels)
    source = np.arange(240)
    weighed = compare_tasks(
        two(labels), X, y, task="task", sample_weight=weight, cv=ByParity(source)
    )
    again = np.repeat(source, weight)
    copies = compare_tasks(
        two(labels), X.iloc[again], y[again], task="task", groups=again, cv=ByParity(again)
    )
    # of labels, chances that models give are a least spread, and copies are not taken for one row
    same, shown = (["gain", "loss"], ["gain"]) if labels else (FIGURES, ["gain", "gain_low"])
    one, other = (found.gains.query("name == 'pooled'")[same] for found in (weighed, copies))
    np.testing.assert_allclose(one, other, rtol=1e-7)
    for name in (*shown, weighed.metric):
        both = [found.models.set_index("name").loc["pooled", name] for found in (weighed, copies)]
        np.testing.assert_allclose(*both, rtol=1e-7)
    assert "weighted means" in weighed.verdict.text


@pytest.mark.parametrize("factor", [0.037, 250.0])
def test_multiplying_all_weights_changes_nothing(factor):
    X, y, weight = table()
    models = dict.fromkeys(["single-task", "pooled", "mean-regularized"])
    one, other = (
        compare_tasks(models, X, y, task="task", sample_weight=w, cv=3)
        for w in (weight, factor * weight)
    )
    np.testing.assert_allclose(one.gains[FIGURES], other.gains[FIGURES], rtol=1e-5, atol=1e-8)
    numbers = one.models.select_dtypes("number").columns.drop("seconds")
    np.testing.assert_allclose(one.models[numbers], other.models[numbers], rtol=1e-5, atol=1e-8)
    assert one.verdict.text == other.verdict.text


def test_rows_of_weight_zero_are_as_if_absent():
    X, y, weight = table()
    y[::7] += 100.0
    kept = np.arange(240) % 7 > 0
    with_zeros = compare_tasks(two(), X, y, task="task", sample_weight=weight * kept, cv=3)
    without = compare_tasks(two(), X[kept], y[kept], task="task", sample_weight=weight[kept], cv=3)
    pd.testing.assert_frame_equal(with_zeros.gains, without.gains)
    assert "35 rows of weight zero were left out." in with_zeros.notes


def test_metrics_are_weighted():
    X, y, weight = table(labels=True)
    found = compare_tasks(
        two(True), X, y, task="task", sample_weight=weight, cv=ByParity(np.arange(240)),
        metric="auc_rows",
    )  # fmt: skip
    test = np.arange(240) % 2 == 0
    fit = two(True)["pooled"].fit(X[~test], y[~test], weight[~test])
    p = fit.predict_proba(X[test])[:, 1]
    got = found.folds.query("name == 'pooled' and fold == 0").iloc[0]
    codes, w = X["task"].to_numpy()[test], weight[test]
    for name in ("auc", "log_loss"):
        expected = METRICS[name].pooled(y[test], p, codes, w)
        np.testing.assert_allclose(got[f"{name}_rows"], expected, rtol=1e-8)


def test_one_row_that_carries_all_weight_proves_nothing():
    X, y, _ = table()
    heavy = np.where(np.arange(240) % 20 == 3, 1e4, 1.0)
    even = compare_tasks(two(), X, y, task="task", cv=ByParity(np.arange(240)))
    odd = compare_tasks(two(), X, y, task="task", sample_weight=heavy, cv=ByParity(np.arange(240)))
    assert (even.gains["label"] != "undecided").sum() > 0
    assert (odd.gains.query("name == 'pooled'")["label"] == "undecided").all()


def test_models_that_take_no_weights_are_named():
    X, y, weight = table()
    models = two() | {"flat": QuantileRegressor(), "ols": LinearRegression()}
    found = compare_tasks(models, X, y, task="task", sample_weight=weight, cv=2)
    assert not any("failed" in each for each in found.warnings)
    told = [note for note in found.notes if "sample_weight" in note]
    assert told == []  # both take them

    class Deaf(LinearRegression):
        def fit(self, X: Any, y: Any) -> Any:
            return super().fit(X, y)

    found = compare_tasks(two() | {"deaf": Deaf()}, X, y, task="task", sample_weight=weight, cv=2)
    (told,) = [note for note in found.notes if "sample_weight" in note]
    assert told.endswith("does not take sample_weight: in its training all rows count alike.")
    assert (found.models["status"] == "ok").all()


@pytest.mark.parametrize("bad", [-1.0, np.nan, 1e-13])
def test_weights_that_are_none_are_refused(bad):
    X, y, weight = table()
    weight = np.where(np.arange(240) == 5, bad, weight)
    with pytest.raises(ValueError, match="sample_weight"):
        compare_tasks(two(), X, y, task="task", sample_weight=weight)
