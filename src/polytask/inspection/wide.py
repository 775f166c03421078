"""Wide labels (n, m) as the long table of their measured entries."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone

from polytask.data import as_table, is_frame
from polytask.inspection.roles import final_step

__all__ = ["stack_wide"]


def stack_wide(
    estimators: dict[str, Any] | None, X: Any, y: Any
) -> tuple[dict[str, Any] | None, Any, np.ndarray, str | int, np.ndarray]:
    """Estimators with a task column, X with it, the measured entries of y, the column, their rows.

    The tasks are the columns of y, in their order; an entry that is missing is no row.
    """
    names = np.asarray(y.columns).astype(str) if is_frame(y) else None
    values = np.asarray(nw.from_native(y).to_numpy() if names is not None else y)
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(
            "compare_tasks: task must name the task column, or y must be wide (a column for each "
            f"task, missing where nothing was measured); got task=None and y of shape "
            f"{values.shape}."
        )
    X = as_table(X)
    if X.shape[0] != len(values):
        raise ValueError(
            f"compare_tasks: X and y must have as many rows; got {X.shape[0]} and {len(values)}."
        )
    rows, codes = np.nonzero(~pd.isna(values))
    stacked, task = _with_tasks(X, rows, codes, names)
    given = estimators and {name: _told_of(model, task) for name, model in estimators.items()}
    entries = values[rows, codes]
    if entries.dtype == object and not any(isinstance(v, str) for v in entries):
        entries = entries.astype(float)
    return given, stacked, entries, task, rows


def _with_tasks(
    X: Any, rows: np.ndarray, codes: np.ndarray, names: np.ndarray | None
) -> tuple[Any, str | int]:
    if sparse.issparse(X):
        return sparse.hstack([X.tocsr()[rows], codes[:, None].astype(float)]).tocsr(), -1
    if not is_frame(X):
        if names is None:
            return np.column_stack([np.asarray(X)[rows], codes]), -1
        X = pd.DataFrame(np.asarray(X)).rename(columns=lambda j: f"x{j}")
    frame = nw.from_native(X, eager_only=True).to_pandas()
    name = "task"
    while name in frame.columns:
        name += "_"
    ids = codes if names is None else names[codes]
    return frame.iloc[rows].reset_index(drop=True).assign(**{name: ids}), name


def _told_of(model: Any, task: str | int) -> Any:
    """The model with its task column named, where it names none."""
    if model is None:
        return None
    model = clone(model)
    last = final_step(model)
    if last is not model and last.get_params(deep=False).get("task", "") is None:
        raise ValueError(
            "compare_tasks: with a wide y, pipelines must name a task column; got one around "
            f"{type(last).__name__}(task=None). Pass the model alone, or the long table."
        )
    if "task" in last.get_params(deep=False):
        last.set_params(task=task)
    return model
