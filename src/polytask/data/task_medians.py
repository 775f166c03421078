"""Medians of rows that belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.data.order import stable_order

__all__ = ["task_medians"]

_MANY = 50  # rows of the average task, from which on tasks are looked at one by one
_SORTED, _PADDED = 200, 2.0  # rows that are sorted in one table, and how much larger it may be


def task_medians(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Median of the values (n,) of each task 0, ..., m - 1, of an even number the middle's mean.

    Examples
    --------
    >>> task_medians(np.array([5.0, 1.0, 2.0, 4.0, 6.0]), np.array([0, 1, 1, 0, 0])).tolist()
    [5.0, 1.5]
    """
    size = np.bincount(code)
    m, most = len(size), int(size.max(initial=0))
    even = most <= _SORTED and m * most <= _PADDED * len(code)
    if np.isnan(values).any() or (len(code) < _MANY * m and not even):
        return pd.Series(values).groupby(code).median().reindex(range(m)).to_numpy()
    in_order = bool((code[:-1] <= code[1:]).all())
    x = values.copy() if in_order else values[stable_order(code)]
    if even:
        return _in_table(x, size, most)
    medians = np.full(m, np.nan)
    end = 0
    for i, n in enumerate(size.tolist()):
        part, end = x[end : end + n], end + n
        if n:
            part.partition(n // 2)
            other = part[n // 2] if n % 2 else part[: n // 2].max()
            medians[i] = (other + part[n // 2]) / 2
    return medians


def _in_table(x: np.ndarray, size: np.ndarray, most: int) -> np.ndarray:
    """The same of values in the order of tasks, a row of a table each, as numpy sorts many."""
    table = np.full((len(size), most), np.inf)
    table[np.arange(most) < size[:, None]] = x
    table.sort(axis=1)
    i = np.flatnonzero(size)
    medians = np.full(len(size), np.nan)
    medians[i] = (table[i, (size[i] - 1) // 2] + table[i, size[i] // 2]) / 2
    return medians
