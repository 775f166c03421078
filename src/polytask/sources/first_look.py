"""The first pass over a table that nobody has looked at: columns, tasks, target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polytask.data.accumulate import TaskIndex
from polytask.sources.column_sums import CategorySums, NumberSums, is_number
from polytask.sources.prepare import StreamPreparer, add_columns
from polytask.sources.source import ParquetSource, Partition, task_codes

__all__ = ["FirstLookJob", "Look"]

_LABELS = 3  # distinct values of a target from which it has no two classes


@dataclass
class Look:
    """What one pass tells of the rows that have a task and a target.

    Parameters
    ----------
    columns : dict {name: sums}
        Of the columns that features are made of.
    counts : dict {id: rows}
    target : NumberSums
        Empty where the target holds labels.
    labels : set
        Distinct values of the target, no more than three.
    """

    columns: dict[str, NumberSums | CategorySums]
    counts: dict[Any, int] = field(default_factory=dict)
    target: NumberSums = field(default_factory=NumberSums)
    labels: set[Any] = field(default_factory=set)

    @property
    def n_rows(self) -> int:
        """Rows that have a task and a target."""
        return sum(self.counts.values())

    def by_task(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorted ids and their rows, shapes (m,)."""
        tasks = TaskIndex(list(self.counts)).ids()
        order = np.argsort(tasks)
        return tasks[order], np.array(list(self.counts.values()))[order]

    def merge(self, other: Look) -> Look:
        """Both together; this one is changed."""
        for name, found in self.columns.items():
            found.merge(other.columns[name])  # type: ignore[arg-type]
        self._count(other.counts)
        self.target.merge(other.target)
        self.labels = _few(self.labels | other.labels)
        return self

    def add(self, table: pa.RecordBatch, source: ParquetSource) -> None:
        """Add rows."""
        add_columns(self.columns, {name: table.column(name) for name in self.columns})
        local, ids = task_codes(table.column(source.task), source.task)
        self._count(dict(zip(ids, np.bincount(local, minlength=len(ids)).tolist(), strict=True)))
        target = table.column(source.target)
        if is_number(target.type) and not pa.types.is_boolean(target.type):
            self.target.add(target, source.target)
        if len(self.labels) < _LABELS:
            self.labels = _few(self.labels | set(pc.unique(target).to_pylist()))

    def _count(self, more: dict[Any, int]) -> None:
        for name, count in more.items():
            self.counts[name] = self.counts.get(name, 0) + count


@dataclass(frozen=True, eq=False)
class FirstLookJob:
    """Sums of every column, rows of every task, values of the target.

    Parameters
    ----------
    preparer : StreamPreparer
        Says which columns are categories.
    kinds : dict {name: type}
    """

    preparer: StreamPreparer
    kinds: dict[str, pa.DataType]
    what: str = "first look"

    def begin(self) -> Look:
        """Nothing seen."""
        return Look(self.preparer.begin(self.kinds))

    def add(self, sums: Look, source: ParquetSource, part: Partition) -> None:
        """Look at a partition."""
        for table in source.tables(part, source.read_columns):
            if table.num_rows:
                sums.add(table, source)

    def finish(self, sums: Look) -> Look:
        """What was seen."""
        return sums

    def merge(self, first: Look, second: Look) -> Look:
        """Both together; the first is changed."""
        return first.merge(second)


def _few(labels: set[Any]) -> set[Any]:
    """At most three of them, whichever."""
    return labels if len(labels) <= _LABELS else set(sorted(labels, key=str)[:_LABELS])
