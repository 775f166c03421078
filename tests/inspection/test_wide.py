"""Wide labels with gaps are compared as the long table of what was measured."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from polytask import MeanRegularizedRegressor, SingleTaskRegressor
from polytask.data.held_rows import Folds, group_folds
from polytask.inspection import compare_tasks


def assays(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 4))
    W = np.array([1.0, -1.0, 0.5, 0.0]) + 0.1 * rng.normal(size=(6, 4))
    Y = X @ W.T + rng.normal(size=(120, 6))
    Y[rng.random(Y.shape) < 0.6] = np.nan
    return X, Y


def models(**given):
    return {
        "single-task": SingleTaskRegressor(**given),
        "mean-regularized": MeanRegularizedRegressor(**given),
    }


@pytest.mark.parametrize("kind", ["arrays", "pandas", "polars", "named y only"])
def test_gaps_are_no_rows(kind):
    X, Y = assays()
    names = [f"assay {j}" for j in range(6)]
    if kind != "arrays":
        Y = pd.DataFrame(Y, columns=names)
    if kind in ("pandas", "polars"):
        X = pd.DataFrame(X, columns=list("abcd"))
    if kind == "polars":
        X, Y = pl.from_pandas(X), pl.from_pandas(Y)
    found = compare_tasks(models(), X, Y)
    measured = (~pd.isna(np.asarray(Y, dtype=float))).sum()
    assert found.data.rows == measured
    assert found.data.tasks == 6
    assert found.tasks["task"].tolist() == (list(range(6)) if kind == "arrays" else names)
    assert "all labels of a row in one fold" in found.provenance.splitter
    metric = found.models.set_index("name")["metric"]
    assert metric["mean-regularized"] < metric["single-task"]
    assert 0.9 < metric["mean-regularized"] < 1.1  # the noise has standard deviation 1


def test_defaults_and_two_classes():
    X, Y = assays()
    labels = np.where(np.isnan(Y), np.nan, Y > 0)
    found = compare_tasks({"single-task": None, "pooled": None}, X, labels)
    assert found.kind == "classification"


def test_folds_keep_rows_whole_and_every_task_in_training():
    _, Y = assays()
    rows, codes = np.nonzero(~np.isnan(Y))
    folds = list(Folds(group_folds(codes, rows, 5, 0)).parts())
    assert len(folds) == 5
    for train, test in folds:
        assert not set(rows[train]) & set(rows[test])
        assert set(codes[train]) == set(range(6))
    np.testing.assert_array_equal(sum(test.sum() for _, test in folds), len(rows))


def test_what_is_not_wide_is_refused():
    X, Y = assays()
    with pytest.raises(ValueError, match=r"task must name the task column, or y must be wide"):
        compare_tasks(models(), X, Y[:, 0])
    with pytest.raises(ValueError, match="as many rows"):
        compare_tasks(models(), X[:5], Y)
