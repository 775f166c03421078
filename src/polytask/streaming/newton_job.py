"""Value, gradient and Hessian of a loss at given coefficients: one pass over the rows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from polytask.data.accumulate import FoldDealer, TaskIndex
from polytask.data.grouping import compact, group_rows
from polytask.losses import Loss
from polytask.streaming.source import Batch, ParquetSource, Partition

__all__ = ["LossSums", "NewtonJob"]


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
        d = len(batch.columns)
        present, local = compact(cell, len(sums.count))
        y = (batch.y == self.classes[1]).astype(np.float64)
        grouping = group_rows(local, len(present), d + 2)
        Z = np.empty((d + 2, len(grouping.take)))
        bad = grouping.spread([*batch.columns, np.ones(len(y)), y], Z, np.zeros(d + 2))
        if bad is not None:
            raise ValueError(
                f"Input X contains NaN or infinity in column {source.features[bad]!r}. Impute it "
                "or leave it out, or pass prepare=StreamPreparer()."
            )
        for bucket in grouping.buckets:
            self._add_bucket(sums, bucket.view(Z), present[bucket.groups])

    def _add_bucket(self, sums: LossSums, rows: np.ndarray, at: np.ndarray) -> None:
        p = self.theta.shape[1]
        X, valid, y = rows[:p].transpose(1, 0, 2), rows[-2], rows[-1]
        f = (self.theta[at // self.n_folds][:, None, :] @ X)[:, 0]
        slope = valid * self.loss.gradient(y, f)
        sums.count[at] += valid.sum(axis=1)
        sums.value[at] += (valid * self.loss.value(y, f)).sum(axis=1)
        sums.slope[at] += (slope**2).sum(axis=1)
        sums.gradient[at] += (X @ slope[:, :, None])[:, :, 0]
        V = rows[:p] * np.sqrt(valid * self.loss.curvature(y, f))
        sums.gram[at] += V.transpose(1, 0, 2) @ V.transpose(1, 2, 0)
