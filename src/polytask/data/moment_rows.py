"""Moments as TaskData: d + 2 rows per task that have the same moments as all its rows.

Any solver of a squared loss sees the data through ``sum omega z z'``, z = (1, x, y), only. The rows
made here have the same sums, so that solvers, grids and KKT violations work on them unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import lapack

from polytask.data.center import far_means
from polytask.data.design import Design
from polytask.data.task_data import TaskData, task_shares

if TYPE_CHECKING:
    from polytask.data.moments import TaskMoments

__all__ = ["MomentData", "mean_if_far", "moment_rows", "rows_of_grams", "task_data_of_moments"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MomentData(TaskData):
    """TaskData of d + 2 rows per task, made from moments, which it keeps.

    Parameters
    ----------
    moments : TaskMoments
    task_weight : {"equal", "size"}
    """

    moments: TaskMoments
    task_weight: str

    @classmethod
    def make(cls, moments: TaskMoments, *, intercept: bool, task_weight: str) -> MomentData:
        """The data of all folds together."""
        sums = moments.select_folds(np.ones(moments.n_folds, dtype=bool))
        share = task_shares(sums[:, 0, 0], task_weight)
        center = mean_if_far(moments, share) if intercept else None
        facts = _facts(
            sums, moments.shift, moments.tasks, None, intercept, task_weight, center
        )  # fmt: skip
        return cls(**facts, moments=moments, task_weight=task_weight)

    @property
    def ones(self) -> np.ndarray:
        """What a column of ones holds, (N,): that of the first row of every task."""
        p = len(self.moments.shift) + 1
        return np.where(np.arange(len(self.y)) % p == 0, np.sqrt(p), 0.0)

    def parts(self) -> Iterator[tuple[TaskData, TaskData]]:
        """(training, held-out) data of every fold; weights are those of the whole in the second.

        Tasks that have no row outside the fold have no share in the held-out part.
        """
        moments, folds = self.moments, np.arange(self.moments.n_folds)
        total = moments.counts
        for k in folds:
            train, test = (moments.select_folds(keep) for keep in (folds != k, folds == k))
            known = train[:, 0, 0] > 0
            if not (test[known, 0, 0] > 0).any():
                continue
            test = np.where(known[:, None, None], test, 0.0)
            options: dict[str, Any] = {
                "intercept": self.intercept,
                "task_weight": self.task_weight,
                "center": self.center,
            }
            yield (
                task_data_of_moments(train, moments.shift, self.tasks, **options),
                task_data_of_moments(test, moments.shift, self.tasks, total=total, **options),
            )


def moment_rows(sums: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Rows (m, p, p) with columns (x, 1, y), in original units, whose sums z z' are the moments.

    The first row of a task is its mean times sqrt(n); the others are a root of the centred sums,
    with a zero in the column of ones, so that a large mean does not touch them.

    Parameters
    ----------
    sums : ndarray of shape (m, p, p)
        sum z z', z = (1, x - shift_x, y - shift_y); a task without rows is all zeros.
    shift : ndarray of shape (p - 1,)
    """
    m, p = sums.shape[:2]
    n = sums[:, 0, 0]
    safe = np.where(n > 0, n, 1.0)
    mean = sums[:, 0, 1:] / safe[:, None]
    centred = sums[:, 1:, 1:] - safe[:, None, None] * mean[:, :, None] * mean[:, None, :]
    rows = np.zeros((m, p, p))
    rows[:, 0, :-2] = (mean + shift)[:, :-1] * np.sqrt(n)[:, None]
    rows[:, 0, -2] = np.sqrt(n)
    rows[:, 0, -1] = (mean + shift)[:, -1] * np.sqrt(n)
    root = _roots(centred)
    rows[:, 1:, :-2] = root[:, :, :-1]
    rows[:, 1:, -1] = root[:, :, -1]
    return rows


def task_data_of_moments(
    sums: np.ndarray, shift: np.ndarray, tasks: np.ndarray, *,
    total: np.ndarray | None = None, intercept: bool = True, task_weight: str = "equal",
    center: np.ndarray | None = None,
) -> TaskData:  # fmt: skip
    """TaskData that gives the same R(W), gradients and Hessians as the rows behind the moments.

    Parameters
    ----------
    sums, shift
        As in `moment_rows`.
    tasks : ndarray of shape (m,)
    total : ndarray of shape (m,) or None
        Count by which each task's mean is taken: its own by default. A held-out part passes the
        counts of all rows.
    intercept, task_weight
        As in the estimators; tasks without rows have no share.
    center : ndarray of shape (d,) or None
        What is taken off the features.
    """
    return TaskData(**_facts(sums, shift, tasks, total, intercept, task_weight, center))


def _facts(
    sums: np.ndarray, shift: np.ndarray, tasks: np.ndarray, total: np.ndarray | None,
    intercept: bool, task_weight: str, center: np.ndarray | None,
) -> dict[str, Any]:  # fmt: skip
    m, p = sums.shape[:2]
    shift = shift if center is None else shift - np.append(center, 0.0)
    count = sums[:, 0, 0] if total is None else total
    rows = moment_rows(sums, shift) * np.sqrt(p / np.where(count > 0, count, 1.0))[:, None, None]
    flat = rows.reshape(m * p, p)
    X = flat[:, :-1] if intercept else flat[:, :-2]
    return {
        "design": Design(np.ascontiguousarray(X), None, np.arange(m + 1) * p),
        "y": flat[:, -1].copy(),
        # a task's sum is its count
        "sample_weight": np.repeat(np.where(count > 0, count / p, 1.0), p),
        "share": task_shares(count, task_weight),
        "tasks": tasks,
        "intercept": intercept,
        "row": np.arange(m * p),
        "center": center,
    }


def mean_if_far(moments: TaskMoments, share: np.ndarray) -> np.ndarray | None:
    """`far_means` of the features, tasks weighing their share in R (m,)."""
    sums = moments.select_folds(np.ones(moments.n_folds, dtype=bool))
    omega = share / np.maximum(sums[:, 0, 0], 1e-300)
    off = omega @ sums[:, 0, 1:-1]
    square = omega @ np.einsum("mkk->mk", sums)[:, 1:-1]
    mean = off + moments.shift[:-1]
    return far_means(mean, np.maximum(square - off**2, 0.0) + mean**2)


def rows_of_grams(
    grams: np.ndarray, share: np.ndarray, tasks: np.ndarray, intercept: bool, y: float
) -> TaskData:
    """TaskData with ``sum omega x x' = grams`` (m, p, p), every target y: enough for grids."""
    m, p = grams.shape[:2]
    weight = np.where(share > 0, share, 1.0) / p
    X = (_roots(grams) / np.sqrt(weight)[:, None, None]).reshape(m * p, p)
    design = Design(np.ascontiguousarray(X), None, np.arange(m + 1) * p)
    rows = np.arange(m * p)
    return TaskData(design, np.full(m * p, y), np.ones(m * p), share, tasks, intercept, rows)


def _roots(C: np.ndarray) -> np.ndarray:
    """R_i with R_i'R_i = C_i for positive semidefinite C (m, k, k), after scaling its diagonal."""
    diagonal = np.einsum("mkk->mk", C)
    varies = diagonal > 0  # rounding can leave a constant feature below zero
    scale = np.sqrt(np.where(varies, diagonal, 1.0))
    inverse = varies / scale
    unit = C * inverse[:, :, None] * inverse[:, None, :]
    smallest = np.sqrt(64 * C.shape[-1] * np.finfo(float).eps)
    out = np.empty_like(unit)
    for i, A in enumerate(unit):
        factor, info = lapack.dpotrf(A, lower=0, clean=1)
        out[i] = factor if info == 0 and factor.diagonal().min() > smallest else _eigen_root(A)
    return out * scale[:, None, :]


def _eigen_root(A: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(A)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
