"""Value, gradient and Hessian of a loss at given coefficients: one pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from polytask.data.accumulate import FoldDealer, TaskIndex
from polytask.data.grouping import Grouping, compact, group_rows
from polytask.responses import Loss
from polytask.sources.source import Batch, ParquetSource, Partition

__all__ = ["LossSums", "NewtonJob", "cell_sums", "spread_rows"]


@dataclass(frozen=True, eq=False)
class LossSums:
    """Sums over the rows of each task at Theta.

    Parameters
    ----------
    count : ndarray of shape (m,)
        Rows.
    value : ndarray of shape (m,)
        Of the loss.
    slope : ndarray of shape (m,)
        Of the squared derivative of the loss.
    gradient : ndarray of shape (m, p)
    gram : ndarray of shape (m, p, p)
        Of loss'' x x'.
    """

    count: np.ndarray
    value: np.ndarray
    slope: np.ndarray
    gradient: np.ndarray
    gram: np.ndarray

    @classmethod
    def zeros(cls, m: int, p: int) -> LossSums:
        """No rows."""
        return cls(*(np.zeros((m, *shape)) for shape in ((), (), (), (p,), (p, p))))

    def __add__(self, other: LossSums) -> LossSums:
        """Sums over both sets of rows."""
        return LossSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def over_folds(self, keep: np.ndarray) -> LossSums:
        """Sums over the folds where keep (n_folds,) is true; they were kept by task and fold."""
        parts = (getattr(self, f.name) for f in fields(self))
        folded = (part.reshape(-1, len(keep), *part.shape[1:]) for part in parts)
        return LossSums(*(part[:, keep].sum(axis=1) for part in folded))

    def without(self, fold: int, n_folds: int, always: np.ndarray) -> LossSums:
        """Sums by task and fold less one; tasks in ``always`` (m,) keep its rows in another."""
        out = []
        for f in fields(self):
            parts = getattr(self, f.name)
            parts = parts.reshape(-1, n_folds, *parts.shape[1:])
            left = np.delete(parts, fold, axis=1)
            left[always, 0] += parts[always, fold]
            out.append(left.reshape(-1, *left.shape[2:]))
        return LossSums(*out)

    def weighted(self, omega: np.ndarray) -> LossSums:
        """The sums of each task times its weight omega (m,)."""
        return LossSums(
            self.count * omega, self.value * omega, self.slope * omega,
            self.gradient * omega[:, None], self.gram * omega[:, None, None],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class NewtonJob:
    """Sums of a loss at Theta.

    Parameters
    ----------
    theta : ndarray of shape (m, p)
        Coefficients, the intercept last.
    tasks : ndarray of shape (m,)
    classes : ndarray of shape (2,)
        Labels; the second is y = 1.
    loss : Loss
    intercept : bool
    n_folds : int
        Sums are kept by task and fold; 1 where no strength is to be chosen.
    """

    theta: np.ndarray
    tasks: np.ndarray
    classes: np.ndarray
    loss: Loss
    intercept: bool
    n_folds: int = 1
    what: str = "newton step"

    def begin(self) -> LossSums:
        """Empty sums."""
        m, p = self.theta.shape
        return LossSums.zeros(m * self.n_folds, p)

    def add(self, sums: LossSums, source: ParquetSource, part: Partition) -> None:
        """Add a partition's rows to ``sums`` in place."""
        index = TaskIndex(self.tasks.tolist())
        dealer = FoldDealer(self.n_folds)
        dealer.new_part(part.number)
        dealer.meet(index.names)
        for batch in source.batches(part):
            code = index.codes(batch.ids)[batch.local]
            self._add(sums, batch, dealer.cells(code) if self.n_folds > 1 else code, source)

    def finish(self, sums: LossSums) -> LossSums:
        """The sums as they are."""
        return sums

    def merge(self, first: LossSums, second: LossSums) -> LossSums:
        """Both together."""
        return first + second

    def _add(self, sums: LossSums, batch: Batch, cell: np.ndarray, source: ParquetSource) -> None:
        present, local = compact(cell, len(sums.count))
        grouping = group_rows(local, len(present), len(batch.columns) + 2)
        Z = spread_rows(grouping, batch, self.classes, source)
        for bucket in grouping.buckets:
            at = present[bucket.groups]
            found = cell_sums(bucket.view(Z), self.theta[at // self.n_folds], self.loss)
            for f in fields(LossSums):
                getattr(sums, f.name)[at] += getattr(found, f.name)


def spread_rows(
    grouping: Grouping, batch: Batch, classes: np.ndarray, source: ParquetSource
) -> np.ndarray:
    """Features, ones and y in {0, 1} in the layout of a grouping, zero on padding."""
    d = len(batch.columns)
    y = (batch.y == classes[1]).astype(np.float64)
    Z = np.empty((d + 2, len(grouping.take)))
    bad = grouping.spread([*batch.columns, np.ones(len(y)), y], Z, np.zeros(d + 2))
    if bad is not None:
        raise ValueError(
            f"Input X contains NaN or infinity in column {source.features[bad]!r}. Impute it "
            "or leave it out, or pass prepare=StreamPreparer()."
        )
    return Z


def cell_sums(rows: np.ndarray, theta: np.ndarray, loss: Loss) -> LossSums:
    """Sums of the loss in b cells at theta (b, p), from rows (d + 2, b, width)."""
    p = theta.shape[1]
    X, valid, y = rows[:p].transpose(1, 0, 2), rows[-2], rows[-1]
    f = (theta[:, None, :] @ X)[:, 0]
    slope = valid * loss.gradient(y, f)
    V = rows[:p] * np.sqrt(valid * loss.curvature(y, f))
    return LossSums(
        valid.sum(axis=1),
        (valid * loss.value(y, f)).sum(axis=1),
        (slope**2).sum(axis=1),
        (X @ slope[:, :, None])[:, :, 0],
        V.transpose(1, 0, 2) @ V.transpose(1, 2, 0),
    )
