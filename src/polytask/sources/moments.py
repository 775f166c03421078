"""Moments of Parquet files in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polytask.data import TaskMoments
from polytask.data.accumulate import MomentSums
from polytask.sources.passes import Progress, Runner, SerialRunner, Source
from polytask.sources.source import ParquetSource, Partition, Paths

__all__ = ["MomentJob", "read_moments"]


@dataclass(frozen=True)
class MomentJob:
    """Moments of all rows.

    Parameters
    ----------
    n_folds : int
    weighted : bool
        Whether rows count by their weights, where they have some.
    """

    n_folds: int = 1
    weighted: bool = True
    what: str = "moments"

    def begin(self) -> MomentSums:
        """Empty sums."""
        return MomentSums(self.n_folds)

    def add(self, sums: MomentSums, source: Source, part: Partition) -> None:
        """Add a partition; where the source knows no folds, they depend on nothing but it."""
        sums.new_part(part.number)
        for batch in source.batches(part):
            sums.add(
                batch.columns, numbers(batch.y, source.target), batch.local, batch.ids,
                batch.weight if self.weighted else None, source.features,
                batch.fold if self.n_folds > 1 else None,
            )  # fmt: skip

    def finish(self, sums: MomentSums) -> TaskMoments:
        """The moments; columns are named by the caller, who knows the source."""
        return TaskMoments.of_sums(sums, None, None)

    def merge(self, first: TaskMoments, second: TaskMoments) -> TaskMoments:
        """Moments of both."""
        return first + second


def read_moments(
    paths: Paths,
    *,
    task: str,
    target: str,
    features: Sequence[str] | None = None,
    n_folds: int = 1,
    batch_rows: int = 1 << 17,
    progress: Progress | None = None,
) -> TaskMoments:
    """Moments of Parquet files, read once in bounded memory.

    Parameters
    ----------
    paths : path or list of paths
        Parquet files, or directories of them.
    task, target : str
        Columns of the task ids and of the target.
    features : sequence of str or None
        Numeric columns without missing values; None is every other column.
    n_folds : int, default=1
        Sums are kept by fold from 2 on, for ``alpha="cv"``.
    batch_rows : int
        Rows in memory at a time.
    progress : callable or None
        Told ``("moments", rows done, rows in all)``.

    Returns
    -------
    TaskMoments
    """
    source = ParquetSource.open(
        paths, task=task, target=target, features=features, batch_rows=batch_rows
    )
    return moments_of(source, SerialRunner(progress), n_folds)


def moments_of(source: ParquetSource, runner: Runner, n_folds: int) -> TaskMoments:
    """Moments of a source, with its names."""
    moments = runner.run(MomentJob(n_folds), source)
    task = source.ids if source.further else source.task
    return replace(moments, columns=source.model_columns, task=task)


def numbers(y: np.ndarray, target: str) -> np.ndarray:
    """A target as numbers."""
    if y.dtype == object:
        raise ValueError(
            f"fit_parquet: target must be a column of numbers; {target!r} holds "
            f"{type(y[0]).__name__} such as {y[0]!r}. Use a classifier for labels."
        )
    return y
