"""From what a user passes to `fit` and `predict` to TaskData; every message about input is here."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d, validate_data

from polytask.data.callers import callers_level
from polytask.data.center import far_means
from polytask.data.columns import drop_task_column, read_task_ids
from polytask.data.design import make_design
from polytask.data.frames import (
    check_columns,
    frame_columns,
    is_frame,
    is_plain,
    refuse_dates,
    to_array,
)
from polytask.data.held_rows import read_held
from polytask.data.order import stable_order
from polytask.data.read_once import made_once
from polytask.data.row_sums import added
from polytask.data.split_rows import split_rows
from polytask.data.task_data import TaskData, task_shares
from polytask.data.task_spec import grouping_names, spelled_out
from polytask.data.weights import check_weights

__all__ = [
    "FLOATS",
    "LeftOutGrouping",
    "Rows",
    "make_task_data",
    "read_raw_rows",
    "read_rows",
    "read_target",
    "read_weight",
    "task_codes",
]

_CHUNK = 100_000  # numbers of X that are widened or squared at a time: 800 kB stay in the cache
FLOATS = [np.float64, np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """Feature rows of a table and the task id of each (None without a task column)."""

    X: Any  # (n, d) float array, csr matrix or SplitRows
    ids: np.ndarray | None  # (n,)


def read_rows(estimator: BaseEstimator, X: Any, *, reset: bool, split: bool = False) -> Rows:
    """Numeric features and task ids of ``X``; checks names and counts as scikit-learn does.

    ``estimator.task`` says where the task column is; ``reset=True`` in `fit` records
    ``n_features_in_`` and ``feature_names_in_``, False in `predict` compares with them. ``split``
    says that the sparse columns of a large table may stay so (`SplitRows`).
    """
    if estimator.task is None:
        is_frame(X)  # refuses tables that are none
        refuse_dates(X, _named(estimator, "X"))
        X = validate_data(estimator, X, dtype=FLOATS, accept_sparse="csr", reset=reset)
        return Rows(X, None)
    rows = read_raw_rows(estimator, X, reset=reset)
    if is_plain(rows.X):
        found = rows.X.to_numpy()
    else:
        if split and (found := split_rows(rows.X)) is not None:
            return Rows(found, rows.ids)
        refuse_dates(rows.X, _named(estimator, "X"))
        found = to_array(rows.X)
    features = check_array(
        found, dtype=FLOATS, accept_sparse="csr", ensure_min_features=0,
        estimator=estimator, input_name="X",
    )  # fmt: skip
    return Rows(features, rows.ids)


def read_raw_rows(estimator: BaseEstimator, X: Any, *, reset: bool) -> Rows:
    """The same for estimators that take text and gaps: ``Rows.X`` is in the container of ``X``."""
    task = estimator.task
    if is_frame(X):
        check_columns(estimator, X, reset=reset)
    else:
        X = validate_data(
            estimator, X, dtype=None, accept_sparse="csr", ensure_all_finite=False,
            reset=reset,
        )  # fmt: skip
    if task is None:
        return Rows(X, None)
    if reset and not isinstance(task, str | Integral):
        _warn_of_more(estimator, spelled_out(task, frame_columns(X)))
    return Rows(drop_task_column(X, task), read_task_ids(X, task))


def _named(estimator: BaseEstimator, what: str) -> str:
    return f"{type(estimator).__name__}: {what}"


class LeftOutGrouping(UserWarning):
    """A model that knows one grouping was given several."""


def _warn_of_more(estimator: BaseEstimator, groupings: list[tuple[Any, ...]]) -> None:
    more = grouping_names(groupings)[1:]
    if more:
        warnings.warn(
            f"{type(estimator).__name__} knows one grouping, {grouping_names(groupings)[0]!r}; "
            f"left out: {', '.join(map(repr, more))}. MultilevelRegressor and MultilevelClassifier "
            "learn from all.",
            LeftOutGrouping,
            stacklevel=callers_level(),
        )


def read_target(estimator: BaseEstimator, y: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Target as an array of shape (n,) or, wide, (n, m); and the column names of a wide table."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    names = np.asarray(y.columns).astype(str) if is_frame(y) else None
    if not is_classifier(estimator):
        refuse_dates(y, _named(estimator, "y"))
    values = to_array(y)
    fields = getattr(getattr(values, "dtype", None), "names", None)
    if fields:
        raise ValueError(
            f"{type(estimator).__name__}: y must have one value a row; got a structured array of "
            f"{', '.join(map(repr, fields))}. Times and events are targets of the "
            "estimators whose names end in Survival."
        )
    if sparse.issparse(values):
        raise TypeError(f"{type(estimator).__name__}: y must be dense; got a sparse matrix.")
    values = values if hasattr(values, "ndim") else np.asarray(values)
    takes_wide = estimator.task is None and not (
        is_classifier(estimator) and values.shape[1:] == (1,)
    )
    if values.ndim == 2 and takes_wide:
        return _wide(values), names
    if values.ndim == 2 and values.shape[1] > 1:
        raise ValueError(
            f"{type(estimator).__name__}: y must have one column when task is given; got shape "
            f"{values.shape}. With a label column per task, leave task=None."
        )
    if values.ndim == 1 and isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
        return np.asarray(values), None  # as scikit-learn would say, too
    return column_or_1d(y if names is None else values, warn=True), None


def _wide(values: np.ndarray) -> np.ndarray:
    """Numbers as they are; objects with NaN for None and pd.NA, as numbers where all are."""
    if values.dtype != object:
        return np.asarray(values)
    missing = pd.isna(values)
    values = np.where(missing, np.nan, values)
    numbers = all(isinstance(v, Real) and not isinstance(v, bool) for v in values[~missing])
    return values.astype(float) if numbers else values


def make_task_data(
    estimator: BaseEstimator,
    rows: Rows,
    y: np.ndarray,
    names: np.ndarray | None,
    sample_weight: Any,
    *,
    center: bool = False,
    groups: Any = None,
    time: Any = None,
) -> TaskData:
    """TaskData of rows with a numeric target: long (n,), or wide (n, m) where NaN is unmeasured.

    With ``center`` features of dense rows that lie far from zero are taken about their mean in R
    (`far_means`), where there is an intercept to make up for it. ``groups`` or ``time`` of the rows
    of X say which are held out together.
    """
    check_consistent_length(rows.X, y)
    group, when = read_held(groups, time, rows.X, type(estimator).__name__)
    if np.isinf(y).any():
        raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
    weight = read_weight(sample_weight, y)
    wide = y.ndim == 2
    row, code, tasks, already = (
        _wide_observations(y, weight, names) if wide else _long_observations(rows, y, weight)
    )
    if wide or not already:
        at = (row, code) if wide else row
        y, weight = y[at], weight[at]
    start = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(tasks)))])
    counts = added(weight, start)
    share = task_shares(counts, getattr(estimator, "_weight_rule", estimator.task_weight))
    intercept, y = estimator.fit_intercept, y.astype(np.float64)
    held = None if group is None else group[row], None if when is None else when[row]

    def make() -> TaskData:
        at, mean, omega = None if already else row, None, (share / counts)[code] * weight
        if center and intercept and not sparse.issparse(rows.X):
            mean = _far_means(rows.X, at, omega)
        design = make_design(rows.X, at, start, intercept, mean)
        data = TaskData(design, y, weight, share, tasks, intercept, row, mean, *held)
        vars(data).update(weight=omega, counts=counts)  # which every fit asks for
        return data

    facts = (center, intercept, y, weight, share, tasks, start, row, *held)
    return made_once(rows.X, facts, make)


def _far_means(X: np.ndarray, row: np.ndarray | None, omega: np.ndarray) -> np.ndarray | None:
    """`far_means` of the features of observations with weights omega (N,), in parts."""
    v = omega if row is None else np.bincount(row, omega, minlength=len(X))
    mean, square = np.zeros((2, X.shape[1]))
    step = max(1, _CHUNK // max(X.shape[1], 1))
    for at in range(0, len(X), step):
        part, w = X[at : at + step].astype(np.float64, copy=False), v[at : at + step]
        mean += w @ part
        square += w @ np.square(part)
    return far_means(mean, square)


def _long_observations(
    rows: Rows, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Row and code of each observation, the tasks, and whether rows are taken as they stand."""
    if np.isnan(y).any():
        raise ValueError(
            "Input y contains NaN. Drop rows without a target, or pass a label column per task "
            "(wide y with task=None), where NaN means not measured."
        )
    whole = bool((weight > 0).all())
    kept = np.arange(len(y)) if whole else np.flatnonzero(weight > 0)
    ids = np.zeros(len(y), dtype=np.int64) if rows.ids is None else rows.ids
    tasks, code, in_order = _distinct(ids if whole else ids[kept])
    if in_order:
        return kept, code, tasks, whole
    order = stable_order(code)
    return kept[order], code[order], tasks, False


def _distinct(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Distinct ids, the place of each id among them, and whether ids are in their order."""
    if len(ids) and (ids[:-1] <= ids[1:]).all():
        first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        sizes = np.diff(np.append(first, len(ids)))
        return ids[first], np.repeat(np.arange(len(first)), sizes), True
    if ids.dtype.kind == "i":  # by hashes
        code, tasks = pd.factorize(ids, sort=True)
        return tasks, code, False
    return *np.unique(ids, return_inverse=True), False


def _wide_observations(
    y: np.ndarray, weight: np.ndarray, names: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    tasks = np.arange(y.shape[1]) if names is None else names
    measured = ~np.isnan(y) & (weight > 0)
    empty = ~measured.any(axis=0)
    if empty.any():
        raise ValueError(
            f"y must have at least one measured value in every column; column(s) "
            f"{tasks[empty].tolist()[:5]} contain NaN only. Drop them."
        )
    code, row = np.nonzero(measured.T)
    return row, code, tasks, len(tasks) == 1 and len(row) == len(y)


def read_weight(sample_weight: Any, y: np.ndarray) -> np.ndarray:
    """Row weights in the shape of y: (n,), or (n, m) with a wide y."""
    if sample_weight is None:
        return np.ones(y.shape)
    weight = check_array(
        to_array(sample_weight), ensure_2d=False, dtype=np.float64, input_name="sample_weight",
        ensure_all_finite="allow-nan" if y.ndim == 2 else True,
    )  # fmt: skip
    if weight.ndim == 0:
        weight = np.full(y.shape, float(weight))
    if weight.ndim == 1 and y.ndim == 2 and len(weight) == len(y):
        weight = np.repeat(weight[:, None], y.shape[1], axis=1)
    if weight.shape != y.shape:
        raise ValueError(
            f"Sample weights must be 1D, or have the shape of a wide y; got sample_weight.shape == "
            f"{weight.shape} with y.shape == {y.shape}, expected {y.shape}!"
        )
    weight = np.where(np.isnan(weight) & pd.isna(y), 0.0, weight)
    check_weights(weight)
    if not (weight > 0).any():
        raise ValueError("sample_weight must be positive somewhere; every value is zero.")
    return weight


def task_codes(ids: np.ndarray | None, tasks: np.ndarray, n_rows: int) -> np.ndarray:
    """Position in ``tasks`` of each row's id; -1 for an id that is not there."""
    if ids is None:
        return np.zeros(n_rows, dtype=int)
    if (ids.dtype.kind == "U") != (tasks.dtype.kind == "U"):
        kind = {True: "text", False: "numbers"}
        raise ValueError(
            f"task ids must be of the same type as in fit ({kind[tasks.dtype.kind == 'U']}); "
            f"got {kind[ids.dtype.kind == 'U']}, such as {ids[:1].tolist()}. Convert the column "
            "with astype in both."
        )
    order = np.argsort(tasks)
    position = np.minimum(np.searchsorted(tasks, ids, sorter=order), len(tasks) - 1)
    code = order[position]
    return np.where(tasks[code] == ids, code, -1)
