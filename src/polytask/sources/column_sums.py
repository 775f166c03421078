"""What a first pass keeps of a column: mean and variance of numbers, counts of categories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polytask.sources.magnitudes import first_extreme, too_small

__all__ = ["CategorySums", "NumberSums", "as_text", "is_number"]

_MOST_LEVELS = 100_000


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this type are numbers; true and false are 1 and 0."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
    )


def as_text(column: pa.Array) -> pa.Array:
    """Labels as text: the same text for 1 and 1.0, and that of Python for true and false."""
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return column.cast(pa.string())


@dataclass
class NumberSums:
    """Count, mean and sum of squared deviations of a column, and how many values are missing."""

    count: int = 0
    mean: float = 0.0
    square: float = 0.0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf

    def add(self, column: pa.Array, name: str) -> None:
        """Add values; null and NaN are missing."""
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        known = values[~np.isnan(values)]
        at = first_extreme(known)
        if at is not None:
            raise ValueError(
                f"StreamPreparer: column {name!r} must be finite, and at most 1e100 in size; it "
                f"holds {known[at]:g}. Correct the value, leave it empty, or change the unit."
            )
        part = NumberSums(missing=len(values) - len(known))
        if len(known):
            mean = float(known.mean())
            square = float(((known - mean) ** 2).sum())
            ends = float(known.min()), float(known.max())
            part = NumberSums(len(known), mean, square, part.missing, *ends)
        self.merge(part)

    def merge(self, other: NumberSums) -> None:
        """Add another part (Chan, Golub and LeVeque 1983)."""
        n = self.count + other.count
        self.missing += other.missing
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        if other.count:
            delta = other.mean - self.mean
            self.square += other.square + delta**2 * self.count * other.count / n
            self.mean += delta * other.count / n
            self.count = n

    def check(self, name: str) -> None:
        """Refuse numbers that are all so small that their squares vanish."""
        if too_small(self.low, self.high):
            raise ValueError(
                f"StreamPreparer: column {name!r} must hold numbers above 1e-100 in size; the "
                f"largest is {max(abs(self.low), abs(self.high)):g}. Change the unit."
            )

    def summary(self) -> tuple[float, float, float]:
        """Mean, scale (1 for a constant column), share of missing values."""
        variance = self.square / max(self.count, 1)
        noise = (8 * np.finfo(float).eps * self.mean) ** 2
        scale = float(np.sqrt(variance)) if variance > noise else 1.0
        return self.mean, scale, self.missing / max(self.count + self.missing, 1)


@dataclass
class CategorySums:
    """How often each category occurs; None is a missing value.

    A column with more categories than anybody has a use for is an id: ``too_many`` is then true,
    and nothing is counted any more.
    """

    counts: Counter[Any] = field(default_factory=Counter)
    too_many: bool = False

    def add(self, column: pa.Array, name: str) -> None:
        """Add labels, which are kept as text."""
        if self.too_many:
            return
        for found in pc.value_counts(as_text(column)).to_pylist():
            self.counts[found["values"]] += found["counts"]
        self._check()

    def merge(self, other: CategorySums) -> None:
        """Add another part."""
        self.counts.update(other.counts)
        self.too_many |= other.too_many
        self._check()

    def _check(self) -> None:
        if self.too_many or len(self.counts) > _MOST_LEVELS:
            self.too_many = True
            self.counts.clear()

    def most_frequent(self, limit: int) -> tuple[list[Any], bool]:
        """Categories that get a column of their own, in order, and whether others share one."""
        ranked = sorted(self.counts, key=lambda level: (-self.counts[level], str(level)))
        kept = ranked if len(ranked) <= limit else ranked[: limit - 1]
        named = sorted(level for level in kept if level is not None)
        return named + ([None] if None in kept else []), len(kept) < len(ranked)
