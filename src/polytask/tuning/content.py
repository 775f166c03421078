"""Where rows and tasks stand by what they hold, so that folds do not depend on how a table came.

Rows are put in the order of a number that is made of their content: features and target in their
own mean and standard deviation, each bent into (-1, 1), and added up. It is the same in any order
of rows and columns, in any units, and whatever tasks and columns are called; rounding moves it
by rounding. Rows of a task whose numbers are equal to rounding are one group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data import Design, TaskData
from polytask.data.kept import kept
from polytask.data.order import stable_order

__all__ = [
    "EQUAL",
    "Content",
    "bent_column",
    "bent_sparse",
    "content_of",
    "equal_rows",
    "own_factors",
]

_GOLDEN = 0.6180339887498949  # whose multiples lie far apart, without their whole parts
_CHUNK = 32_768  # numbers that are widened at a time: a quarter of a megabyte
_CONSTANT = 1e-24  # variance, in the column's mean square, that is rounding
EQUAL = 1e-9  # difference of the numbers of two rows that is rounding


@dataclass(frozen=True, eq=False)
class Content:
    """The order that the content of rows gives.

    Parameters
    ----------
    group : ndarray of shape (N,)
        Groups of equal rows of a task, numbered by task and then by content.
    task : ndarray of shape (m,)
        Place of each task among the tasks.
    """

    group: np.ndarray
    task: np.ndarray


def content_of(data: TaskData, features_only: bool = False) -> Content:
    """The order of the rows of some data; of their features alone, or with the target."""
    return kept(data, ("content", features_only), lambda: _content(data, features_only))


def _content(data: TaskData, features_only: bool) -> Content:
    s, code, m = data.sample_weight, data.code, data.n_tasks
    number = _numbers(data, features_only)[:, 0]
    mean = np.bincount(code, s * number, minlength=m) / np.where(data.counts > 0, data.counts, 1.0)
    task = np.argsort(np.argsort(mean, kind="stable"))
    return Content(_groups(task[code], number), task)


def equal_rows(data: TaskData, features_only: bool = False) -> np.ndarray:
    """Groups (N,) of rows of a task that are equal to rounding, in the order of their content.

    Rows whose numbers are equal need not be: those of two categories of the same size, as two
    columns of zeros and ones, have the same sum. So sums in which columns differ tell them apart.
    """
    return kept(data, ("equal rows", features_only), lambda: _equal_rows(data, features_only))


def _equal_rows(data: TaskData, features_only: bool) -> np.ndarray:
    group = content_of(data, features_only).group
    if len(group) == 0 or group.max() == len(group) - 1:
        return group
    return _groups(group, _numbers(data, features_only)[:, 1])


def _groups(within: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Groups of equal numbers in each part, in the order of parts and then of numbers."""
    order = np.argsort(number)
    order = order[stable_order(within[order])]
    new = (np.diff(within[order]) != 0) | (np.diff(number[order]) > EQUAL)
    group = np.empty(len(number), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return group


def _numbers(data: TaskData, features_only: bool) -> np.ndarray:
    """The number of each row, and the one in which columns differ, (N, 2)."""
    s = data.sample_weight
    number: np.ndarray = kept(data, ("bent features",), lambda: _of_features(data.design, s))
    return number if features_only else number + _sums_of_bent(data.y[:, None], s, np.ones((1, 1)))


def _of_features(design: Design, weight: np.ndarray) -> np.ndarray:
    """Sums (N, 2) of the bent columns, and of them times numbers of their own."""
    index, d = design.index, design.X.shape[1]
    if index is not None:
        weight = np.bincount(index, weight, minlength=design.X.shape[0])
    sums = bent_sparse if design.sparse else _sums_of_bent
    number = sums(design.X, weight, np.column_stack([np.ones(d), own_factors(d)]))
    return number if index is None else number[index]


def own_factors(d: int) -> np.ndarray:
    """A factor (d,) for each column by which sums of columns differ."""
    return np.asarray(1.0 + np.arange(1, d + 1) * _GOLDEN % 1.0)


def _sums_of_bent(X: np.ndarray, weight: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Sums (n, q) of the bent columns times factors (d, q), row by row."""
    step = max(1, _CHUNK // max(X.shape[1], 1))
    parts = [slice(first, first + step) for first in range(0, len(X), step)]
    mean = sum(weight[part] @ X[part] for part in parts) / weight.sum()
    square = np.zeros(X.shape[1])
    for part in parts:
        Z = X[part] - mean
        square += weight[part] @ np.multiply(Z, Z, out=Z)
    inverse = _inverse_deviation(mean, square / weight.sum())
    out = np.empty((len(X), factors.shape[1]))
    for part in parts:
        out[part] = _bent((X[part] - mean) * inverse) @ factors
    return out


def bent_column(x: np.ndarray) -> np.ndarray:
    """A column (n,) in its mean and standard deviation, bent into (-1, 1)."""
    return _sums_of_bent(x[:, None], np.ones(len(x)), np.ones((1, 1)))[:, 0]


def bent_sparse(X: Any, weight: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
    """Sums (n, q) of the bent columns times factors (d, q), of ones unless given.

    From the numbers that are not zero. Zeros of a column are all bent alike.
    """
    X = X.tocsc().astype(np.float64)
    mean = weight @ X / weight.sum()
    square = weight @ X.multiply(X) / weight.sum() - mean**2
    inverse = _inverse_deviation(mean, np.maximum(square, 0.0))
    of_zero, column = _bent(-mean * inverse), np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    X.data = _bent((X.data - mean[column]) * inverse[column]) - of_zero[column]
    return np.asarray(X @ (np.ones((X.shape[1], 1)) if factors is None else factors))


def _inverse_deviation(mean: np.ndarray, square: np.ndarray) -> np.ndarray:
    """One over the standard deviation; zero where that is rounding."""
    varies = square > _CONSTANT * (mean**2 + square)
    return np.where(varies, 1.0 / np.sqrt(np.where(varies, square, 1.0)), 0.0)


def _bent(z: np.ndarray) -> np.ndarray:
    size = np.abs(z)
    size += 1.0
    return z / size
