"""Sums of a loss at several points in one pass, each point on its own part of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polytask.data.accumulate import TaskIndex
from polytask.data.grouping import Grouping, compact, group_rows
from polytask.data.oracle import Pointwise
from polytask.sources.loss_sums import LossSums
from polytask.sources.passes import Runner, Source
from polytask.sources.source import Batch, Partition

__all__ = ["EVERYTHING", "FoldPoint", "SumsJob", "cell_sums", "look_at"]

EVERYTHING = -1  # the fold that leaves nothing out
_MOST_NUMBERS = 64_000_000  # of the sums of one pass: 512 MB


@dataclass(frozen=True, eq=False)
class FoldPoint:
    """Theta (m, p) of a fit without the fold ``held``; `EVERYTHING` leaves nothing out."""

    theta: np.ndarray
    held: int = EVERYTHING

    @property
    def parts(self) -> int:
        """Sums that are kept of a task: outside the fold and inside, or all in one."""
        return 1 if self.held == EVERYTHING else 2


@dataclass(frozen=True, eq=False)
class SumsJob:
    """Sums at every point over the rows outside its fold and, apart, over those inside.

    Parameters
    ----------
    points : tuple of FoldPoint
    tasks : ndarray of shape (m,)
    loss : Pointwise
    intercept : bool
    n_folds : int
    always : bool ndarray of shape (m,)
        Tasks whose rows are outside of every fold.
    above : bool
        Whether the curvature is that of parabolas above the loss.
    """

    points: tuple[FoldPoint, ...]
    tasks: np.ndarray
    loss: Pointwise
    intercept: bool
    n_folds: int
    always: np.ndarray
    above: bool = False
    what: str = "newton step"

    def begin(self) -> list[LossSums]:
        """Empty sums: of task i outside the fold at 2 i and inside at 2 i + 1, or at i all."""
        m = len(self.tasks)
        return [LossSums.zeros(p.parts * m, p.theta.shape[1]) for p in self.points]

    def add(self, sums: list[LossSums], source: Source, part: Partition) -> None:
        """Add a partition's rows to ``sums`` in place."""
        index = TaskIndex(self.tasks.tolist())
        for batch in source.batches(part):
            code = index.codes(batch.ids)[batch.local]
            self._add(sums, batch, batch.cells(code, self.n_folds), source)

    def finish(self, sums: list[LossSums]) -> list[LossSums]:
        """The sums as they are."""
        return sums

    def merge(self, first: list[LossSums], second: list[LossSums]) -> list[LossSums]:
        """Both together."""
        return [a + b for a, b in zip(first, second, strict=True)]

    def _add(self, sums: list[LossSums], batch: Batch, cell: np.ndarray, source: Source) -> None:
        present, local = compact(cell, len(self.tasks) * self.n_folds)
        grouping = group_rows(local, len(present), len(batch.columns) + 3)
        Z = _spread(grouping, batch, source)
        for bucket in grouping.buckets:
            task, fold = np.divmod(present[bucket.groups], self.n_folds)
            rows = bucket.view(Z)
            for at, point in zip(sums, self.points, strict=True):
                inside = (fold == point.held) & ~self.always[task]
                found = cell_sums(rows, point.theta[task], self.loss, self.above)
                at.add_cells(found, point.parts * task + inside)


def look_at(
    points: Sequence[FoldPoint], job: SumsJob, runner: Runner, source: Source
) -> list[tuple[LossSums, LossSums]]:
    """Sums outside and inside its fold of every point, in as few passes as memory allows."""
    m, p = points[0].theta.shape
    most = max(1, int(_MOST_NUMBERS // (2 * m * p * p)))
    found: list[tuple[LossSums, LossSums]] = []
    for first in range(0, len(points), most):
        now = tuple(points[first : first + most])
        folds = job.n_folds if any(point.held != EVERYTHING for point in now) else 1
        sums = runner.run(replace(job, points=now, n_folds=folds), source)
        found += [(s.every(p.parts), s.every(p.parts, 1)) for s, p in zip(sums, now, strict=True)]
    return found


def _spread(grouping: Grouping, batch: Batch, source: Source) -> np.ndarray:
    """Features, ones, weights where rows have some, and targets; zero on padding."""
    weight = [] if batch.weight is None else [batch.weight]
    columns = [*batch.columns, np.ones(len(batch.y)), *weight, batch.y]
    Z = np.empty((len(columns), len(grouping.take)))
    bad = grouping.spread(columns, Z, np.zeros(len(columns)))
    if bad is not None:
        raise ValueError(
            f"Input X contains NaN or infinity in column {source.features[bad]!r}. Impute it "
            "or leave it out, or pass prepare=StreamPreparer()."
        )
    return Z


def cell_sums(
    rows: np.ndarray, theta: np.ndarray, loss: Pointwise, above: bool = False
) -> LossSums:
    """Sums of the loss in b cells at theta (b, p), from rows (q, b, width).

    They are features, ones, and last weights (or the ones themselves) and targets. Padding, which
    weighs nothing, takes the target of its cell's first row: zero need not be one.
    """
    p = theta.shape[1]
    X, weight = rows[:p].transpose(1, 0, 2), rows[-2]
    y = np.where(weight > 0, rows[-1], rows[-1][:, :1])
    f = (theta[:, None, :] @ X)[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # a step too far is taken back by its value
        slope = loss.gradient(y, f)
        curvature = loss.majorizer(y, f) if above else loss.curvature(y, f)
        V = rows[:p] * np.sqrt(weight * curvature)
        return LossSums(
            weight.sum(axis=1),
            (weight * loss.value(y, f)).sum(axis=1),
            (weight * loss.slopes(y, f) ** 2).sum(axis=1),
            (X @ (weight * slope)[:, :, None])[:, :, 0],
            V.transpose(1, 0, 2) @ V.transpose(1, 2, 0),
        )
