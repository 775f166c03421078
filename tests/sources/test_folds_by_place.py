"""Strengths of many rows are chosen on folds by places within tasks, whoever holds the rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from polytask import (
    LassoTasksRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    RobustLowRankRegressor,
)
from polytask.cli import main
from polytask.data import memory
from polytask.sources import source as source_module


def rows_of_tasks(labels):
    """Tasks whose ids are not in the order of their first rows; the first row is a label alone."""
    rng = np.random.default_rng(4)
    task = rng.permuted(np.repeat(np.arange(9), rng.integers(12, 30, size=9)))
    X = rng.normal(size=(len(task), 3))
    y = X @ [1.0, -0.5, 0.2] + 0.4 * rng.normal(size=9)[task] + rng.normal(size=len(task))
    y = (y > 0.3).astype(float) if labels else y
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(task=(task * 7 + 3) % 9, y=y)


def strengths(model):
    return [getattr(model, f"{s.name}_") for s in model.strengths if hasattr(model, f"{s.name}_")]


@pytest.mark.parametrize(
    "kind",
    [
        MeanRegularizedRegressor,
        LassoTasksRegressor,
        RobustLowRankRegressor,
        MeanRegularizedClassifier,
    ],
)
def test_one_choice_whether_tasks_are_together_or_not(kind, summed, tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 40)
    rows = rows_of_tasks(labels=kind is MeanRegularizedClassifier)
    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=25)
    together = rows.sort_values("task", kind="stable")
    here, there = (
        kind(task="task").fit(each.drop(columns="y"), each["y"]) for each in (rows, together)
    )
    filed = kind(task="task").fit_parquet(tmp_path / "rows.parquet", target="y", client=False)
    assert_allclose(here.cv_scores_, there.cv_scores_, rtol=1e-9)
    assert_allclose(here.cv_scores_, filed.cv_scores_, rtol=1e-9)
    assert strengths(here) == pytest.approx(strengths(there), rel=1e-9)
    assert strengths(here) == pytest.approx(strengths(filed), rel=1e-9)


@pytest.mark.parametrize("model", ["lasso", "robust-low-rank"])
def test_the_command_says_the_same_of_a_large_table_loaded_and_passed_over(
    model, summed, tmp_path, monkeypatch
):
    """Loaded, its rows are put together by task; passed over, they stay where they are."""
    monkeypatch.setattr(memory, "MANY_CELLS", 0)
    table, told = tmp_path / "rows.parquet", []
    rows_of_tasks(labels=False).to_parquet(table)
    for way in ("--stream", "--no-stream"):
        out, predictions = tmp_path / "m.skops", tmp_path / "p.parquet"
        words = ["fit", table, "--task", "task", "--target", "y", "--model", model, way]
        assert main([*map(str, words), "--out", str(out)]) == 0
        assert main(["predict", str(out), str(table), "--out", str(predictions)]) == 0
        told.append(pd.read_parquet(predictions)["prediction"])
    assert_allclose(*told, rtol=1e-9)
