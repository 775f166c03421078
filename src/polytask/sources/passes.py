"""One pass over all partitions: sums of each, merged; in this process, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from polytask.sources.source import Batch, Partition

__all__ = ["Job", "Progress", "Runner", "SerialRunner", "Source"]

Progress = Callable[[str, int, int], None]


class Source(Protocol):
    """Rows in partitions, which are passed over batch by batch."""

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """What workers work on, one after the other or at once."""
        ...

    @property
    def n_rows(self) -> int:
        """Rows in all partitions."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        ...

    @property
    def target(self) -> str:
        """Name of the target."""
        ...

    @property
    def center(self) -> np.ndarray | None:
        """What is taken off the features, shape (d,); None for nothing."""
        ...

    def batches(self, part: Partition) -> Iterator[Batch]:
        """Rows of a partition."""
        ...


S = TypeVar("S", bound=Source)
_In = TypeVar("_In", bound=Source, contravariant=True)


class Job(Protocol[_In]):
    """Sums over rows: begun empty, filled partition by partition, finished, merged.

    ``merge`` is associative, and what it returns does not depend on how partitions were grouped,
    up to rounding. A job is sent to workers, so it is small and can be pickled.
    """

    @property
    def what(self) -> str:
        """What is being done, for progress."""
        ...

    def begin(self) -> Any:
        """Empty sums to be filled."""
        ...

    def add(self, sums: Any, source: _In, part: Partition) -> None:
        """Add the rows of a partition."""
        ...

    def finish(self, sums: Any) -> Any:
        """Sums in the form that is merged and sent."""
        ...

    def merge(self, first: Any, second: Any) -> Any:
        """Both together."""
        ...


class Runner(Protocol):
    """Who carries out passes."""

    def run(self, job: Job[S], source: S) -> Any:
        """The job's result over all partitions."""
        ...


class SerialRunner:
    """Partition after partition, in this process.

    Parameters
    ----------
    progress : callable or None
        Told ``(what, rows done, rows in all)`` after every partition.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress

    def run(self, job: Job[S], source: S) -> Any:
        """The job's result over all partitions."""
        sums, done = job.begin(), 0
        for part in source.partitions:
            job.add(sums, source, part)
            done += part.n_rows
            if self.progress is not None:
                self.progress(job.what, done, source.n_rows)
        return job.finish(sums)
