"""Sums of a loss at several points in one pass, each point on its own part of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from polytask.data.accumulate import FoldDealer, TaskIndex
from polytask.data.grouping import compact, group_rows
from polytask.responses import Loss
from polytask.sources.newton_job import LossSums, cell_sums, spread_rows
from polytask.sources.passes import Runner
from polytask.sources.source import Batch, ParquetSource, Partition

__all__ = ["FoldPoint", "FoldsJob", "look_at"]

_MOST_NUMBERS = 64_000_000  # of the sums of one pass: 512 MB


@dataclass(frozen=True, eq=False)
class FoldPoint:
    """Theta (m, p) of a fit without the fold ``held``, and what is asked about it."""

    theta: np.ndarray
    held: int


@dataclass(frozen=True, eq=False)
class FoldsJob:
    """Sums at every point over the rows outside its fold and, apart, over those inside.

    Parameters
    ----------
    points : tuple of FoldPoint
    tasks, classes, loss, intercept
        As in `NewtonJob`.
    n_folds : int
    always : bool ndarray of shape (m,)
        Tasks whose rows are outside of every fold.
    """

    points: tuple[FoldPoint, ...]
    tasks: np.ndarray
    classes: np.ndarray
    loss: Loss
    intercept: bool
    n_folds: int
    always: np.ndarray
    what: str = "newton step"

    def begin(self) -> list[LossSums]:
        """Empty sums: of task i outside the fold at 2 i, inside at 2 i + 1."""
        return [LossSums.zeros(2 * len(self.tasks), p.theta.shape[1]) for p in self.points]

    def add(self, sums: list[LossSums], source: ParquetSource, part: Partition) -> None:
        """Add a partition's rows to ``sums`` in place."""
        index = TaskIndex(self.tasks.tolist())
        dealer = FoldDealer(self.n_folds)
        dealer.new_part(part.number)
        dealer.meet(index.names)
        for batch in source.batches(part):
            cell = dealer.cells(index.codes(batch.ids)[batch.local])
            self._add(sums, batch, cell, source)

    def finish(self, sums: list[LossSums]) -> list[LossSums]:
        """The sums as they are."""
        return sums

    def merge(self, first: list[LossSums], second: list[LossSums]) -> list[LossSums]:
        """Both together."""
        return [a + b for a, b in zip(first, second, strict=True)]

    def _add(
        self, sums: list[LossSums], batch: Batch, cell: np.ndarray, source: ParquetSource
    ) -> None:
        present, local = compact(cell, len(self.tasks) * self.n_folds)
        grouping = group_rows(local, len(present), len(batch.columns) + 2)
        Z = spread_rows(grouping, batch, self.classes, source)
        for bucket in grouping.buckets:
            task, fold = np.divmod(present[bucket.groups], self.n_folds)
            rows = bucket.view(Z)
            for at, point in zip(sums, self.points, strict=True):
                found = cell_sums(rows, point.theta[task], self.loss)
                inside = (fold == point.held) & ~self.always[task]
                _add_cells(at, found, 2 * task + inside)


def _add_cells(sums: LossSums, found: LossSums, at: np.ndarray) -> None:
    """Add the sums of cells to places that several cells may share."""
    order = np.argsort(at, kind="stable")
    places, first = np.unique(at[order], return_index=True)
    for f in fields(LossSums):
        getattr(sums, f.name)[places] += np.add.reduceat(getattr(found, f.name)[order], first)


def look_at(
    points: Sequence[FoldPoint], job: FoldsJob, runner: Runner, source: ParquetSource
) -> list[tuple[LossSums, LossSums]]:
    """Sums outside and inside its fold of every point, in as few passes as memory allows."""
    m, p = points[0].theta.shape
    most = max(1, int(_MOST_NUMBERS // (2 * m * p * p)))
    found: list[LossSums] = []
    for first in range(0, len(points), most):
        now = replace(job, points=tuple(points[first : first + most]))
        found += runner.run(now, source)
    inside = np.array([False, True])
    return [(sums.over_folds(~inside), sums.over_folds(inside)) for sums in found]
