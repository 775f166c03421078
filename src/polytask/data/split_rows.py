"""Rows of which some columns are nearly all zero: kept as they come, dense where they are read.

Categories as columns of zeros and ones take as many times the memory of their labels as there are
categories. Here a label costs some ten bytes, and whoever reads rows sees the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from polytask.data.memory import MANY_CELLS

__all__ = ["SplitRows", "is_worth_it", "split_rows", "taken"]

_CHUNK = 500_000  # numbers that are dense at a time in a product


def is_worth_it(n_rows: int, n_columns: int) -> bool:
    """Whether so many columns of zeros and ones are kept sparse."""
    return n_rows * n_columns >= MANY_CELLS


@dataclass(frozen=True, eq=False)
class SplitRows:
    """A float64 matrix (n, p) that numpy indexes, multiplies and reads like an array.

    Parameters
    ----------
    full : tuple of ndarray of shape (n,)
        The dense columns.
    at : int ndarray
        Their places among the p.
    few : csr matrix of shape (n, q)
        The others.
    few_at : int ndarray of shape (q,)
    """

    full: tuple[np.ndarray, ...]
    at: np.ndarray
    few: Any
    few_at: np.ndarray

    dtype = np.dtype(np.float64)
    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.few.shape[0], len(self.at) + len(self.few_at)

    @property
    def size(self) -> int:
        """Numbers that a pass reads."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Some rows, of some columns, dense."""
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if isinstance(rows, np.ndarray) and rows.ndim == 2:
            return self[rows.ravel(), columns].reshape(*rows.shape, -1)
        few = self.few[rows]
        out = np.zeros((few.shape[0], self.shape[1]))
        out[:, self.few_at] = few.toarray()
        for place, values in zip(self.at, self.full, strict=True):
            out[:, place] = values[rows]
        return out[:, columns]

    def __matmul__(self, V: np.ndarray) -> np.ndarray:
        """X V, some rows at a time."""
        step = max(1, _CHUNK // max(self.shape[1], 1))
        parts = (self[first : first + step] @ V for first in range(0, max(len(self), 1), step))
        return np.concatenate(list(parts))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of it, dense."""
        return np.asarray(self[:], dtype=dtype)

    def taken(self, rows: np.ndarray | None, ones: bool = False) -> SplitRows:
        """Some rows in their order (None: all), with a last column of ones."""
        full, at, few = self.full, self.at, self.few
        if rows is not None:
            full, few = tuple(values[rows] for values in full), few[rows]
        if ones:
            full = (*full, np.broadcast_to(1.0, few.shape[0]))
            at = np.append(at, self.shape[1])
        return SplitRows(full, at, few, self.few_at)

    def less(self, shift: np.ndarray, rounding: float) -> tuple[SplitRows, np.ndarray | None]:
        """Dense columns less their shift (p,), and the shift that is left for the others.

        What is then a constant up to ``rounding`` of its shift is zero.
        """
        full = tuple(
            _less(values, c, rounding) if c else values
            for values, c in zip(self.full, shift[self.at], strict=True)
        )
        left = shift.copy()
        left[self.at] = 0.0
        return replace(self, full=full), left if left.any() else None


def _less(values: np.ndarray, shift: float, rounding: float) -> np.ndarray:
    moved = values - shift
    constant = np.abs(moved).max(initial=0.0) <= rounding * abs(shift)
    return np.zeros(len(values)) if constant else moved


def taken(X: Any, rows: np.ndarray) -> Any:
    """Some rows, in the container of X."""
    return X.taken(rows) if isinstance(X, SplitRows) else X[rows]


def split_rows(X: Any) -> SplitRows | None:
    """The numbers of a pandas table of float64 and sparse columns, without making them dense.

    None for what is no such table, holds numbers that are not finite, or is small.
    """
    if not isinstance(X, pd.DataFrame):
        return None
    stored = list(X.dtypes)
    few = np.array([isinstance(t, pd.SparseDtype) and t.fill_value == 0 for t in stored], bool)
    dense, places = np.flatnonzero(~few), np.flatnonzero(few)
    if not is_worth_it(len(X), len(places)) or any(stored[j] != np.float64 for j in dense):
        return None
    columns: list[Any] = [values for _, values in X.items()]
    full = tuple(columns[j].to_numpy() for j in dense)
    sparse_part: Any = X.loc[:, few]
    narrow = sparse.csr_matrix(sparse_part.sparse.to_coo())
    if not all(np.isfinite(values).all() for values in (*full, narrow.data)):
        return None
    return SplitRows(full, dense, narrow, places)
