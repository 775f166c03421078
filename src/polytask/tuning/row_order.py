"""An order of a table's rows by what they hold, so that folds do not depend on how it came.

As in the folds inside a fit (`polytask.tuning.content`), a row has a number: its columns in their
own mean and standard deviation, each bent into (-1, 1), and added up with the target. It is the
same in any order of rows and columns, in any units, and whatever tasks and columns are called. A
column counts by its likeness to the target, so that rows with exchanged values differ; text counts
as what its rows' targets are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse

from polytask.data import drop_task_column, is_frame
from polytask.data.task_spec import Spec
from polytask.tuning.content import EQUAL, bent_column, bent_sparse

__all__ = ["column_order", "row_order"]

_GAP = 1.0  # a missing cell, beside bent numbers in (-1, 1)


def row_order(
    X: Any, y: np.ndarray, codes: np.ndarray, task: Spec, weight: np.ndarray | None = None
) -> np.ndarray:
    """The rows in an order of chance that is the same however the table came.

    Parameters
    ----------
    X : table with the task column, or list of columns without it
    y : ndarray of shape (n,)
        Targets, or numbers of classes.
    codes : int ndarray of shape (n,)
        Task of each row.
    weight : ndarray of shape (n,), optional
        A column more.

    Returns
    -------
    order : int ndarray of shape (n,)
        Rows in the order of their tasks' means and their own numbers, put in that of one drawn
        permutation.
    """
    target = bent_column(y.astype(np.float64))
    number = target.copy()
    features = X if isinstance(X, list) else drop_task_column(X, task)
    if sparse.issparse(features):
        number += bent_sparse(features, np.ones(len(y)))[:, 0]
    else:
        more = () if weight is None else (weight,)
        for column in (*_columns(features), *more):
            bent = _bent(column, target)
            number += bent * (1.0 + np.mean(bent * target))
    each = np.bincount(codes)
    mean, square = (np.bincount(codes, v) / each for v in (number, number**2))
    order = np.lexsort((number, square[codes], _places(mean)[codes]))
    return np.asarray(order[np.random.default_rng(0).permutation(len(order))])


def column_order(columns: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """Columns (n,) in the order of their likeness to the target, whatever they are called."""
    target = bent_column(y.astype(np.float64))
    return np.argsort(
        [np.mean(_bent(column, target) * target) for column in columns], kind="stable"
    )


def _columns(features: Any) -> Iterator[np.ndarray]:
    if isinstance(features, list):
        yield from features
    elif is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        yield from (column.to_numpy() for column in frame.iter_columns())
    else:
        yield from np.asarray(features).T


def _bent(column: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A column of numbers, dates or text in (-1, 1), and beyond where a cell is empty."""
    if column.dtype.kind in "mM":
        column = np.where(np.isnat(column), np.nan, column.astype(np.int64).astype(np.float64))
    try:
        values = column.astype(np.float64)
    except (TypeError, ValueError):
        texts = pd.Series(column, dtype=object).map(str, na_action="ignore")
        level, _ = pd.factorize(texts)
        rows = np.maximum(np.bincount(level + 1), 1)
        of_level = np.bincount(level + 1, target) / rows + rows / len(column)
        return np.where(level < 0, _GAP, 0.5 * of_level[level + 1])
    known = np.isfinite(values)
    found = np.full(len(values), _GAP)
    if known.any():
        found[known] = bent_column(values[known])
    return found


def _places(mean: np.ndarray) -> np.ndarray:
    """Places of numbers in order; those that differ by rounding share theirs."""
    order = np.argsort(mean)
    place = np.empty(len(mean))
    place[order] = np.concatenate([[0], np.cumsum(np.diff(mean[order]) > EQUAL)])
    return place
