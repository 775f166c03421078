"""What workers do. Two functions of plain values: they run the same on any engine."""

from __future__ import annotations

from functools import reduce
from typing import Any

from polytask.data.threads import one_blas_thread
from polytask.sources.passes import Job
from polytask.sources.source import ParquetSource, Partition

__all__ = ["hand_on", "merge_parts", "sum_partition"]

Held = tuple[Job, ParquetSource]


def hand_on(held: Held) -> Held:
    """The same value, as a task's result: workers fetch it from one another."""
    return held


def sum_partition(held: Held, part: Partition) -> Any:
    """The job's sums over one partition."""
    job, source = held
    with one_blas_thread():
        sums = job.begin()
        job.add(sums, source, part)
        return job.finish(sums)


def merge_parts(held: Held, parts: list[Any]) -> Any:
    """The sums of several parts together."""
    return reduce(held[0].merge, parts)
