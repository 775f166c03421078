"""Rows before a column of ones in memory, where a design with an intercept then is already."""

from __future__ import annotations

import numpy as np

__all__ = ["before_ones", "gathered", "with_ones"]

_CHUNK = 4_000_000  # numbers that are gathered at a time: 32 MB


def before_ones(n_rows: int, n_columns: int) -> np.ndarray:
    """An array to be filled, of floats, all but the last column of one whose last holds ones."""
    whole = np.empty((n_rows, n_columns + 1))
    whole[:, -1] = 1.0
    return whole[:, :-1]


def with_ones(X: np.ndarray) -> np.ndarray | None:
    """The array whose columns but the last are X, where the last holds ones; else None.

    Examples
    --------
    >>> X = before_ones(2, 3)
    >>> with_ones(X).shape, with_ones(X.copy())
    ((2, 4), None)
    """
    whole = X.base
    if not isinstance(whole, np.ndarray) or whole.dtype != X.dtype:
        return None
    there = whole.ctypes.data == X.ctypes.data and whole.flags.c_contiguous
    if not there or whole.shape != (len(X), X.shape[1] + 1) or whole.strides != X.strides:
        return None
    return whole if (whole[:, -1] == 1.0).all() else None


def gathered(
    X: np.ndarray, index: np.ndarray | None, intercept: bool, moved: bool = False
) -> np.ndarray:
    """Contiguous rows in the order of ``index``, with ones if ``intercept``: one copy at most.

    There is no copy of rows in this order that stand before ones already, unless they are to be
    ``moved`` by who asks.
    """
    if not intercept:
        return np.ascontiguousarray(X if index is None else X[index])
    if index is None and not moved and (found := with_ones(X)) is not None:
        return found
    n, d = X.shape if index is None else (len(index), X.shape[1])
    out = np.empty((n, d + 1), dtype=X.dtype)
    step = max(1, _CHUNK // max(d, 1))
    for first in range(0, n, step):
        part = slice(first, first + step)
        out[part, :d] = X[part] if index is None else X[index[part]]
        out[part, d] = 1.0
    return out
