"""The first pass over a table that nobody has looked at: columns, tasks, target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polytask.sources.column_sums import CategorySums, NumberSums, is_number
from polytask.sources.dealing import PartCounts, Tally
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
    target : NumberSums
        Empty where the target holds labels.
    labels : set
        Distinct values of the target, no more than three.
    parts : list of PartCounts
        Rows of every partition by task, and by label where there are two.
    levels : dict {name: set}
        Distinct ids of the columns of further groupings.
    """

    columns: dict[str, NumberSums | CategorySums]
    target: NumberSums = field(default_factory=NumberSums)
    labels: set[Any] = field(default_factory=set)
    parts: list[PartCounts] = field(default_factory=list)
    levels: dict[str, set[Any]] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows that have a task and a target."""
        return int(sum(part.counts.sum() for part in self.parts))

    def tally(self, classes: Sequence[Any] = ()) -> Tally:
        """Rows by task, and by class if there are some."""
        return Tally.of_parts(self.parts, classes)

    def merge(self, other: Look) -> Look:
        """Both together; this one is changed."""
        for name, sums in self.columns.items():
            sums.merge(other.columns[name])  # type: ignore[arg-type]
        self.parts += other.parts
        for name, found in other.levels.items():
            self.levels.setdefault(name, set()).update(found)
        self.target.merge(other.target)
        self.labels = _few(self.labels | other.labels)
        return self

    def add(self, table: pa.RecordBatch, source: ParquetSource, counts: Counter[Any]) -> None:
        """Add rows, and to the counts of the partition by (id, label)."""
        add_columns(self.columns, {name: table.column(name) for name in self.columns})
        target = table.column(source.target)
        if pa.types.is_dictionary(target.type):
            target = target.dictionary_decode()
        if is_number(target.type) and not pa.types.is_boolean(target.type):
            self.target.add(target, source.target)
        labels = pc.unique(target) if len(self.labels) < _LABELS else None
        if labels is not None:
            self.labels = _few(self.labels | set(labels.to_pylist()))
        for name in source.further:
            known = self.levels.setdefault(name, set())
            known.update(task_codes(table.column(name), name)[1])
        local, ids = task_codes(table.column(source.task), source.task)
        if labels is None or len(labels) >= _LABELS:
            _count(counts, local, ids, None)
            return
        code = pc.index_in(target, value_set=labels).to_numpy(zero_copy_only=False)
        for k, label in enumerate(labels.to_pylist()):
            _count(counts, local[code == k], ids, label)


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
        counts: Counter[Any] = Counter()
        for table in source.tables(part, source.read_columns):
            if table.num_rows:
                sums.add(table, source, counts)
        sums.parts.append(PartCounts.of(part.number, counts))

    def finish(self, sums: Look) -> Look:
        """What was seen."""
        return sums

    def merge(self, first: Look, second: Look) -> Look:
        """Both together; the first is changed."""
        return first.merge(second)


def _count(counts: Counter[Any], local: np.ndarray, ids: list[Any], label: Any) -> None:
    for name, rows in zip(ids, np.bincount(local, minlength=len(ids)).tolist(), strict=True):
        counts[name, label] += rows


def _few(labels: set[Any]) -> set[Any]:
    """At most three of them, whichever."""
    return labels if len(labels) <= _LABELS else set(sorted(labels, key=str)[:_LABELS])
