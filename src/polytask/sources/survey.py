"""The first look of a classifier at its rows: which tasks, how many rows, which classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data.accumulate import TaskIndex
from polytask.sources.source import ParquetSource, Partition

__all__ = ["Survey", "SurveyJob"]

_MOST_LABELS = 100


@dataclass(frozen=True)
class Survey:
    """Rows of every task id, and the distinct labels."""

    counts: dict[Any, int]
    labels: frozenset[Any]

    def by_task(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorted ids and their counts, shapes (m,)."""
        tasks = TaskIndex(list(self.counts)).ids()
        order = np.argsort(tasks)
        counts = np.array(list(self.counts.values()), dtype=float)
        return tasks[order], counts[order]


@dataclass(frozen=True)
class SurveyJob:
    """Counts rows by task and collects labels; reads the task and target columns only."""

    what: str = "tasks and classes"

    def begin(self) -> dict[str, Any]:
        """Nothing counted."""
        return {"counts": {}, "labels": set()}

    def add(self, sums: dict[str, Any], source: ParquetSource, part: Partition) -> None:
        """Count a partition."""
        counts = sums["counts"]
        for batch in source.batches(part, features=False):
            found = np.bincount(batch.local, minlength=len(batch.ids)).tolist()
            for name, count in zip(batch.ids, found, strict=True):
                counts[name] = counts.get(name, 0) + count
            labels = set(np.unique(batch.y).tolist()) if _whole(batch.y) else {None}
            sums["labels"] |= labels
            if None in labels or labels & {np.inf, -np.inf}:
                raise ValueError(
                    f"Input y contains NaN or infinity in column {source.target!r}. Drop rows "
                    "without a target."
                )
            if len(sums["labels"]) > _MOST_LABELS:
                raise ValueError(
                    f"fit_parquet: the target of a classifier must hold two classes; "
                    f"{source.target!r} holds more than {_MOST_LABELS} values. Use a regressor."
                )

    def finish(self, sums: dict[str, Any]) -> Survey:
        """What was found."""
        return Survey(sums["counts"], frozenset(sums["labels"]))

    def merge(self, first: Survey, second: Survey) -> Survey:
        """Both together."""
        counts = dict(first.counts)
        for name, count in second.counts.items():
            counts[name] = counts.get(name, 0) + count
        return Survey(counts, first.labels | second.labels)


def _whole(y: np.ndarray) -> bool:
    if y.dtype == object:
        return all(value is not None for value in y)
    return y.dtype.kind != "f" or not np.isnan(y).any()
