"""What happens to the columns before a model sees them, fitted inside the training folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polytask.sources.prepare import MAX_CATEGORIES, StreamPreparer, level_name
from polytask.tables.columns import Column, as_labels
from polytask.tables.errors import name_made_twice

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

__all__ = ["check_names", "make_task_pipeline"]


def make_task_pipeline(
    model: Any, task: Any, numeric: Sequence[str], categorical: Sequence[str]
) -> Pipeline:
    """A model behind the columns that linear models need, see `StreamPreparer`.

    Parameters
    ----------
    model : estimator
        With its ``task`` set to `task`.
    task : str or list of groupings
    numeric, categorical : sequence of str

    Returns
    -------
    Pipeline
        Steps ``prepare`` and ``model``.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> make_task_pipeline(DummyRegressor(), "school", ["age"], ["sex"]).steps[-1][0]
    'model'
    """
    from sklearn.pipeline import Pipeline

    prepare = StreamPreparer(task, categorical=tuple(categorical))
    return Pipeline([("prepare", prepare), ("model", model)])


def check_names(columns: Sequence[Column], rows: pd.DataFrame, task: str) -> None:
    """Refuse column names that the columns made by preprocessing would repeat."""
    names = {column.name for column in columns} | {task}
    for column in columns:
        gap = bool(column.missing)
        made = {f"missingindicator_{column.name}"} if gap else set()
        if column.kind == "categorical":
            levels = as_labels(rows[column.name]).dropna().unique()
            made = {level_name(column.name, level) for level in (*levels, *[None] * gap)}
            made |= {f"{column.name}=(rest)"} if len(levels) + gap > MAX_CATEGORIES else set()
        for name in sorted(made & names):
            raise name_made_twice(name, column.name)
        names |= made
