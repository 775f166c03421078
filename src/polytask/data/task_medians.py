"""Medians of rows that belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["task_medians"]

_MANY = 50  # rows of the average task, from which on tasks are sorted one by one


def task_medians(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Median of the values (n,) of each task 0, ..., m - 1, of an even number the middle's mean.

    Examples
    --------
    >>> task_medians(np.array([5.0, 1.0, 2.0, 4.0, 6.0]), np.array([0, 1, 1, 0, 0])).tolist()
    [5.0, 1.5]
    """
    m = int(code.max(initial=-1)) + 1
    if len(code) < _MANY * m or np.isnan(values).any():
        return pd.Series(values).groupby(code).median().reindex(range(m)).to_numpy()
    places = code.astype(np.min_scalar_type(m))  # the fewer bits, the sooner they are in order
    x, size = values[np.argsort(places, kind="stable")], np.bincount(code)
    first = np.cumsum(size) - size
    for start, n in zip(first.tolist(), size.tolist(), strict=True):
        x[start : start + n].sort()
    known = size > 0
    first, size = first[known], size[known]
    medians = np.full(m, np.nan)
    medians[known] = (x[first + (size - 1) // 2] + x[first + size // 2]) / 2
    return medians
