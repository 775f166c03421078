"""Targets summed by task and fold, in a pass over the tasks and targets alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.data.accumulate import TaskIndex
from polytask.sources.source import ParquetSource, Partition

__all__ = ["TargetJob", "TargetSums"]


@dataclass(frozen=True, eq=False)
class TargetSums:
    """Rows, their weights, sums and sums of squares of y less some reference value, each (m, K)."""

    rows: np.ndarray
    weight: np.ndarray
    total: np.ndarray
    square: np.ndarray

    def without(self, fold: int, always: np.ndarray) -> TargetSums:
        """Over the other folds, (m, 1); tasks ``always`` in training keep all of theirs."""
        return TargetSums(
            *(
                part.sum(axis=1, keepdims=True) - np.where(always, 0.0, part[:, fold])[:, None]
                for part in vars(self).values()
            )
        )


@dataclass(frozen=True, eq=False)
class TargetJob:
    """`TargetSums` of the rows of a source with folds."""

    tasks: np.ndarray
    n_folds: int
    center: float
    what: str = "means of the tasks"

    def begin(self) -> TargetSums:
        """Empty sums."""
        return TargetSums(*np.zeros((4, len(self.tasks), self.n_folds)))

    def add(self, sums: TargetSums, source: ParquetSource, part: Partition) -> None:
        """Add a partition."""
        index = TaskIndex(self.tasks.tolist())
        for batch in source.batches(part, features=False):
            cell = batch.cells(index.codes(batch.ids)[batch.local], self.n_folds)
            w = np.ones(len(batch.y)) if batch.weight is None else batch.weight
            away = batch.y - self.center
            for kept, each in zip(
                vars(sums).values(), (None, w, w * away, w * away**2), strict=True
            ):
                kept += np.bincount(cell, each, kept.size).reshape(kept.shape)

    def finish(self, sums: TargetSums) -> TargetSums:
        """The sums as they are."""
        return sums

    def merge(self, first: TargetSums, second: TargetSums) -> TargetSums:
        """Both together."""
        pairs = zip(vars(first).values(), vars(second).values(), strict=True)
        return TargetSums(*(a + b for a, b in pairs))
