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

__all__ = ["EQUAL", "Content", "bent_column", "bent_sparse", "content_of", "equal_rows"]

_GOLDEN = 0.6180339887498949  # whose multiples lie far apart, without their whole parts
_CHUNK = 500_000  # numbers that are widened at a time
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
    number = _of_features(data.design, s)
    if not features_only:
        number = number + _sum_of_bent(data.y[:, None], s)
    mean = np.bincount(code, s * number, minlength=m) / np.where(data.counts > 0, data.counts, 1.0)
    task = np.argsort(np.argsort(mean, kind="stable"))
    order = np.lexsort((number, task[code]))
    new = (np.diff(task[code][order]) != 0) | (np.diff(number[order]) > EQUAL)
    group = np.empty(len(number), dtype=np.intp)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return Content(group, task)


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
    number = _of_features(data.design, data.sample_weight, apart=True)
    if not features_only:
        number = number + _sum_of_bent(data.y[:, None], data.sample_weight)
    order = np.lexsort((number, group))
    new = (np.diff(group[order]) != 0) | (np.diff(number[order]) > EQUAL)
    equal = np.empty(len(group), dtype=np.intp)
    equal[order] = np.concatenate([[0], np.cumsum(new)])
    return equal


def _of_features(design: Design, weight: np.ndarray, apart: bool = False) -> np.ndarray:
    """The sum of the bent columns; ``apart``: times numbers of their own."""
    index = design.index
    if index is not None:
        weight = np.bincount(index, weight, minlength=design.X.shape[0])
    factor = 1.0 + np.arange(1, design.X.shape[1] + 1) * _GOLDEN % 1.0 if apart else None
    number = (bent_sparse if design.sparse else _sum_of_bent)(design.X, weight, factor)
    return number if index is None else number[index]


def _sum_of_bent(X: np.ndarray, weight: np.ndarray, factor: np.ndarray | None = None) -> np.ndarray:
    """The sum of the bent columns, row by row, times a factor (d,) for each."""
    factor = np.ones(X.shape[1]) if factor is None else factor
    step = max(1, _CHUNK // max(X.shape[1], 1))
    parts = [slice(first, first + step) for first in range(0, len(X), step)]
    mean = sum(weight[part] @ X[part] for part in parts) / weight.sum()
    square = sum(weight[part] @ (X[part] - mean) ** 2 for part in parts) / weight.sum()
    inverse = _inverse_deviation(mean, square)
    return np.concatenate(
        [(factor * _bent((X[part] - mean) * inverse)).sum(axis=1) for part in parts]
    )


def bent_column(x: np.ndarray) -> np.ndarray:
    """A column (n,) in its mean and standard deviation, bent into (-1, 1)."""
    return _sum_of_bent(x[:, None], np.ones(len(x)))


def bent_sparse(X: Any, weight: np.ndarray, factor: np.ndarray | None = None) -> np.ndarray:
    """The sum of the bent columns, row by row, from the numbers that are not zero.

    Zeros of a column are all bent alike.
    """
    X = X.tocsc().astype(np.float64)
    mean = weight @ X / weight.sum()
    square = weight @ X.multiply(X) / weight.sum() - mean**2
    inverse = _inverse_deviation(mean, np.maximum(square, 0.0))
    of_zero, column = _bent(-mean * inverse), np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    X.data = _bent((X.data - mean[column]) * inverse[column]) - of_zero[column]
    if factor is not None:
        X.data *= factor[column]
    return np.asarray(X.sum(axis=1)).ravel()


def _inverse_deviation(mean: np.ndarray, square: np.ndarray) -> np.ndarray:
    """One over the standard deviation; zero where that is rounding."""
    varies = square > _CONSTANT * (mean**2 + square)
    return np.where(varies, 1.0 / np.sqrt(np.where(varies, square, 1.0)), 0.0)


def _bent(z: np.ndarray) -> np.ndarray:
    return z / (1.0 + np.abs(z))
