"""Folds of rows that are passed over: those of the same rows in memory, whatever the partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data.accumulate import TaskIndex
from polytask.data.folds import FoldRule
from polytask.data.grouping import rank_in_group

Before = tuple[np.ndarray, np.ndarray]  # cells, and rows that came before in each

__all__ = ["Before", "Dealing", "PartCounts", "Tally"]


@dataclass(frozen=True, eq=False)
class PartCounts:
    """Rows of a partition by task id and label, shape (k, L)."""

    part: int
    ids: list[Any]
    labels: list[Any]
    counts: np.ndarray

    @classmethod
    def of(cls, part: int, counts: Mapping[tuple[Any, Any], int]) -> PartCounts:
        """From rows by (id, label)."""
        index, labels = TaskIndex(), list(dict.fromkeys(label for _, label in counts))
        place = {label: at for at, label in enumerate(labels)}
        code = index.codes([name for name, _ in counts])
        table = np.zeros((len(index), len(labels)), dtype=np.int64)
        table[code, [place[label] for _, label in counts]] = list(counts.values())
        return cls(part, index.names, labels, table)


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows of every task and class, and how many of them came before each partition.

    Parameters
    ----------
    ids : ndarray of shape (m,)
        Sorted.
    counts : ndarray of shape (m, L)
        One class where classes are not looked at.
    before : dict {part: (cells, counts)}
        Of the cells ``task * L + class`` that a partition holds.
    number : ndarray of shape (m,)
        Of each task by its first row.
    """

    ids: np.ndarray
    counts: np.ndarray
    before: dict[int, Before]
    number: np.ndarray

    @classmethod
    def of_parts(cls, parts: Sequence[PartCounts], classes: Sequence[Any] = ()) -> Tally:
        """From the counts of all partitions; the classes in order, or none."""
        parts = sorted(parts, key=lambda part: part.part)
        met = TaskIndex(list(dict.fromkeys(name for part in parts for name in part.ids)))
        index = TaskIndex(sorted(met.names, key=_order))
        place = {label: at for at, label in enumerate(classes)}
        seen, before = np.zeros((len(index), max(len(classes), 1)), dtype=np.int64), {}
        for part in parts:
            now = np.zeros_like(seen)
            code = index.codes(part.ids)
            for label, count in zip(part.labels, part.counts.T, strict=True):
                now[code, place.get(label, 0)] += count
            cells = np.flatnonzero(now)
            before[part.part] = cells, seen.ravel()[cells]
            seen += now
        return cls(index.ids(), seen, before, met.codes(index.names))

    @property
    def rows(self) -> np.ndarray:
        """Rows of each task, shape (m,)."""
        return self.counts.sum(axis=1)


@dataclass(frozen=True, eq=False)
class Dealing:
    """The rule by which rows go to folds, and what it wants to know of them.

    Parameters
    ----------
    ids : ndarray of shape (m,)
    classes : tuple
        Two labels that are spread evenly; empty for none.
    rule : FoldRule
    """

    ids: np.ndarray
    classes: tuple[Any, ...]
    rule: FoldRule

    def begin(self, before: Before | None) -> Dealer:
        """At the first row of a partition."""
        return Dealer(self, before)


class Dealer:
    """Deals the rows of one partition, batch by batch."""

    def __init__(self, dealing: Dealing, before: Before | None) -> None:
        self.dealing = dealing
        self.index = TaskIndex(dealing.ids.tolist())
        self.seen = np.zeros(dealing.rule.counts.size, dtype=np.int64)
        if before is not None:
            self.seen[before[0]] = before[1]

    def folds(self, local: np.ndarray, ids: Sequence[Any], y: np.ndarray) -> np.ndarray:
        """Fold of each row of a batch; the only row of a task, which no fold holds, at 0."""
        task = self.index.codes(ids)[local]
        label = np.zeros(len(y), dtype=np.intp)
        if self.dealing.classes:
            label = (y == self.dealing.classes[1]).astype(np.intp)
        cell = task * self.dealing.rule.counts.shape[1] + label
        place = self.seen[cell] + rank_in_group(cell, len(self.seen))
        self.seen += np.bincount(cell, minlength=len(self.seen))
        return np.maximum(self.dealing.rule.folds(task, label, place), 0)


def _order(name: Any) -> tuple[bool, Any]:
    """Numbers before text; mixtures are refused later, in words."""
    return isinstance(name, str), name
