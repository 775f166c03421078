"""Rows of a few people are noticed where nothing was said of them."""

import numpy as np
import polars as pl
import pytest

from polytask.inspection import compare_tasks
from tests.inspection.helpers import table

MODELS = dict.fromkeys(["single-task", "pooled"])


def repeated():
    X, y = table("related", m=6, n=8)
    at = np.repeat(np.arange(len(y)), 5)
    return X.iloc[at].reset_index(drop=True), y.to_numpy()[at], at


@pytest.mark.parametrize(
    "kind", ["polars", *(pytest.param(k, marks=pytest.mark.slow) for k in ("pandas", "numpy"))]
)
def test_rows_with_the_same_measurements_make_a_warning(kind):
    X, y, who = repeated()
    task = "task"
    if kind == "polars":
        X = pl.from_pandas(X)
    elif kind == "numpy":
        X, task = X.assign(task=X["task"].str[1:].astype(float)).to_numpy(), -1
    first = compare_tasks(MODELS, X, y, task=task).warnings[0]
    assert first.startswith("100% of the rows have the measurements of another row of their task")
    assert "groups= in Python" in first
    grouped = compare_tasks(MODELS, X, y, task=task, groups=who)
    assert not any("measurements of another" in told for told in grouped.warnings)


def test_other_rows_make_none():
    X, y = table("related", m=6, n=40)
    assert not any("measurements" in t for t in compare_tasks(MODELS, X, y, task="task").warnings)
