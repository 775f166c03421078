"""Distinct values of a column: whether they are many, and then a bounded sample of them."""

from __future__ import annotations

import numpy as np

__all__ = ["distinct_values", "has_more_than"]

_MOST = 1 << 16
_FIRST = 1000  # values that tell of most columns


def distinct_values(x: np.ndarray, most: int = _MOST) -> np.ndarray:
    """The distinct values, sorted; of more than ``most`` the ends and those of the least hashes.

    Which ones these are depends on the values alone, so the sample of several parts is that of
    their samples together, whatever the parts were.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=1000)
    >>> parts = [distinct_values(part, 50) for part in (x[:300], x[300:])]
    >>> np.array_equal(distinct_values(np.concatenate(parts), 50), distinct_values(x, 50))
    True
    """
    values = np.unique(np.asarray(x, dtype=np.float64) + 0.0)  # -0 is 0
    if len(values) <= most:
        return values
    kept = np.zeros(len(values), dtype=bool)
    kept[np.argpartition(_hashes(values), most - 1)[:most]] = True
    kept[[0, -1]] = True
    return values[kept]


def has_more_than(x: np.ndarray, most: int) -> bool:
    """Whether there are more than ``most`` distinct values.

    Examples
    --------
    >>> has_more_than(np.array([1, 2, 2, 3]), 2), has_more_than(np.array([1, 2, 2, 3]), 3)
    (True, False)
    """
    return any(len(np.unique(part)) > most for part in (x[:_FIRST], x))


def _hashes(values: np.ndarray) -> np.ndarray:
    """Numbers that look random, by the bits of the values (Steele and others, SplitMix64)."""
    z = values.view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
