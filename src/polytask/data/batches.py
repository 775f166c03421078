"""Tasks in batches of about equal size: a few batched calls serve thousands of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["BATCH", "Batch", "make_batches"]

BATCH = 131_072  # numbers in one batch: a megabyte, so that the steps on it stay in cache
_OWN_BATCH = 8_000  # a task with more numbers than this is read in place, not gathered with others


@dataclass(frozen=True, eq=False)
class Batch:
    """Tasks of about equal size, padded to the largest: one call of a batched routine."""

    tasks: np.ndarray  # (b,)
    first: np.ndarray  # (b,) position of each task's first observation
    n: int  # observations of the largest
    valid: np.ndarray | None  # (b, n) False on padding; None where nothing is padded
    part: slice | None  # the observations, where they stand in one run: nothing is gathered

    @property
    def shape(self) -> tuple[int, int]:
        """Tasks and padded observations (b, n)."""
        return len(self.tasks), self.n

    @cached_property
    def at(self) -> slice | np.ndarray:
        """The tasks as an index: a slice, which copies less, where they are neighbours."""
        first, b = int(self.tasks[0]), len(self.tasks)
        neighbours = self.tasks[-1] == first + b - 1 and (np.diff(self.tasks) == 1).all()
        return slice(first, first + b) if neighbours else self.tasks

    @cached_property
    def obs(self) -> np.ndarray:
        """Positions of observations (b, n); padding repeats the first."""
        steps = np.arange(self.n)
        return self.first[:, None] + (steps if self.valid is None else steps * self.valid)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of observations (N,) as (b, n), zero on padding."""
        if self.part is not None:
            return values[self.part].reshape(self.shape)
        taken = values[self.obs]
        return taken if self.valid is None else np.where(self.valid, taken, 0.0)

    def collect(self, padded: np.ndarray, out: np.ndarray) -> None:
        """Write padded values (b, n) back to their observations."""
        if self.part is not None:
            out[self.part] = padded.ravel()
        elif self.valid is None:
            out[self.obs] = padded
        else:
            out[self.obs[self.valid]] = padded[self.valid]


def make_batches(start: np.ndarray, p: int) -> Iterator[Batch]:
    """Batches of the tasks that begin at ``start`` (m + 1,) and have p columns."""
    sizes = np.diff(start)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    gathered = order[: np.searchsorted(sizes[order] * p, _OWN_BATCH)]
    yield from _gathered_batches(gathered, start, sizes, p)
    yield from _own_batches(order[len(gathered) :], start, sizes, p)


def _gathered_batches(
    order: np.ndarray, start: np.ndarray, sizes: np.ndarray, p: int
) -> Iterator[Batch]:
    """Small tasks of about equal size: up to a quarter is padding."""
    ordered = sizes[order]
    first = 0
    while first < len(order):
        limit = max(int(ordered[first] * 1.25), int(ordered[first]) + 4)
        last = int(np.searchsorted(ordered, limit, side="right"))
        last = min(last, first + max(1, BATCH // (int(ordered[last - 1]) * p)))
        tasks, n = order[first:last], int(ordered[last - 1])
        if int(ordered[first]) == n:
            begin, end = int(start[tasks[0]]), int(start[tasks[-1] + 1])
            part = slice(begin, end) if end - begin == len(tasks) * n else None
            yield Batch(tasks, start[tasks], n, None, part)
        else:
            yield Batch(tasks, start[tasks], n, np.arange(n) < sizes[tasks][:, None], None)
        first = last


def _own_batches(
    order: np.ndarray, start: np.ndarray, sizes: np.ndarray, p: int
) -> Iterator[Batch]:
    """Larger ones are read in place: with neighbours of the same size, or alone."""
    breaks = (np.diff(order) != 1) | (np.diff(sizes[order]) != 0)
    edges = np.concatenate([[0], np.flatnonzero(breaks) + 1, [len(order)]])
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if first == last:
            continue
        n = int(sizes[order[first]])
        step = max(1, BATCH // (n * p))
        for at in range(first, last, step):
            tasks = order[at : min(at + step, last)]
            begin = int(start[tasks[0]])
            yield Batch(tasks, start[tasks], n, None, slice(begin, begin + n * len(tasks)))
