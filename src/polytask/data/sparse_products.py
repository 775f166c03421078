"""Products with the rows of all tasks at once, where the rows are sparse: no loop over tasks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["SparseProducts"]

_PART = 4_000_000  # nonzeros that are widened to float64 at a time: 32 MB
_PAIRS = 4_000_000  # products of two nonzeros of a row, in the Gram matrices made together
_KEPT_PAIRS = 1_000_000  # so many are kept for the next weights: 12 MB


class SparseProducts:
    """Rows as one operator on the coefficients of all tasks, by one sparse product each way.

    Where observation k is row k, the columns of its task are moved to places of their own: the
    rows are then a block-diagonal matrix (N, m p) that shares its numbers with X. Where many
    observations have the same row (a wide y), the products are with X itself and all tasks.

    Parameters
    ----------
    X : csr matrix of shape (n, p)
    index : ndarray of shape (N,) or None
        Row of X of each observation.
    code : ndarray of shape (N,)
        Task of each observation.
    m : int
    """

    def __init__(self, X: Any, index: np.ndarray | None, code: np.ndarray, m: int) -> None:
        self.X, self.index, self.code, self.m = X, index, code, m
        self.columns = X.indices
        if index is None and m > 1:
            wide = m * X.shape[1] > np.iinfo(np.int32).max
            kind = np.int64 if wide else np.int32
            shift = np.repeat(code.astype(kind) * X.shape[1], np.diff(X.indptr))
            self.columns = X.indices.astype(kind) + shift

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """w_i'x of every observation, theta (m, p)."""
        if self.index is None:
            flat = theta.ravel()
            return np.concatenate([rows @ flat for _, rows in self._parts(1)])
        table = np.concatenate([rows @ theta.T for _, rows in self._parts(1)])
        return np.asarray(table[self.index, self.code])

    def adjoint(self, u: np.ndarray, power: int = 1) -> np.ndarray:
        """sum_k u_k x_k^power in each task, shape (m, p)."""
        m, p = self.m, self.X.shape[1]
        if self.index is None:
            flat = np.zeros(m * p)
            for part, rows in self._parts(power):
                flat += rows.T @ u[part]
            return flat.reshape(m, p)
        table = np.zeros((self.X.shape[0], m))
        np.add.at(table, (self.index, self.code), u)
        out = np.zeros((p, m))
        for part, rows in self._parts(power):
            out += rows.T @ table[part]
        return out.T.copy()

    def grams(self, v: np.ndarray, start: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """sum_k v_k x_k x_k' in each of some tasks, zero elsewhere, shape (m, p, p)."""
        p = self.X.shape[1]
        out = np.zeros((self.m, p, p))
        if self.index is not None:
            for i in tasks:
                rows = self.X[self.index[start[i] : start[i + 1]]].astype(np.float64, copy=False)
                scaled = rows.multiply(v[start[i] : start[i + 1], None]).tocsr()
                out[i] = (rows.T @ scaled).toarray()
            return out
        wanted = np.zeros(self.m, dtype=bool)
        wanted[tasks] = True
        if self._pairs is not None:
            cells, products = self._pairs
            out.ravel()[cells] = products @ v
            out[~wanted] = 0.0
            return out
        pairs = np.append(0, np.cumsum(np.diff(self.X.indptr).astype(np.int64) ** 2))[start]
        for group in _slices(pairs, _PAIRS):
            if wanted[group].any():
                self._add_grams(out, v, start, group)
        out[~wanted] = 0.0
        return out

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, Any] | None:
        """Places that are not zero in the Gram matrices, and what each row adds to them.

        Few products of two nonzeros of a row are made once: weights then cost one sparse product.
        """
        X, p = self.X, self.X.shape[1]
        length = np.diff(X.indptr).astype(np.int64)
        if (length**2).sum() > _KEPT_PAIRS:
            return None
        row = np.repeat(np.arange(X.shape[0]), length)  # of each nonzero
        left = np.repeat(np.arange(X.nnz), length[row])
        of_left = np.cumsum(length[row]) - length[row]  # where the pairs of each nonzero begin
        right = X.indptr[row[left]] + np.arange(len(left)) - of_left[left]
        values, at = X.data.astype(np.float64, copy=False), X.indices.astype(np.int64)
        place = (self.code[row[left]] * p + at[left]) * p + at[right]
        cells, cell = np.unique(place, return_inverse=True)
        of_rows = (values[left] * values[right], (cell, row[left]))
        return cells, sparse.csr_matrix(of_rows, shape=(len(cells), X.shape[0]))

    def _add_grams(self, out: np.ndarray, v: np.ndarray, start: np.ndarray, group: slice) -> None:
        """The Gram matrices of a run of tasks, by one product of block-diagonal rows."""
        p, (low, high) = self.X.shape[1], (int(start[group.start]), int(start[group.stop]))
        first, last = self.X.indptr[low], self.X.indptr[high]
        values = self.X.data[first:last].astype(np.float64, copy=False)
        indptr = self.X.indptr[low : high + 1] - first
        columns = self.columns[first:last] - group.start * (p if self.m > 1 else 0)
        width = (group.stop - group.start) * p
        weighted = values * np.repeat(v[low:high], np.diff(indptr))
        rows = _csr(values, columns, indptr, width)
        product = (rows.T @ _csr(weighted, columns, indptr, width)).tocoo()
        out[group.start + product.row // p, product.row % p, product.col % p] = product.data

    def _parts(self, power: int) -> Iterator[tuple[slice, Any]]:
        """Rows in float64: all at once where they are that already, else a part at a time."""
        X = self.X
        if power == 1 and X.dtype == np.float64:
            yield slice(0, X.shape[0]), self._whole
            return
        for part in _slices(X.indptr, _PART):
            first, last = X.indptr[part.start], X.indptr[part.stop]
            values = X.data[first:last].astype(np.float64, copy=False) ** power
            start = X.indptr[part.start : part.stop + 1] - first
            yield part, _csr(values, self.columns[first:last], start, self._width)

    @cached_property
    def _whole(self) -> Any:
        """All rows of float64, their numbers shared with X."""
        return _csr(self.X.data, self.columns, self.X.indptr, self._width)

    @property
    def _width(self) -> int:
        return int(self.X.shape[1]) * (self.m if self.index is None else 1)


def _csr(values: np.ndarray, columns: np.ndarray, start: np.ndarray, width: int) -> Any:
    """A csr matrix of arrays as they are: the constructor would look through them all."""
    rows = sparse.csr_matrix((len(start) - 1, width))
    rows.data, rows.indices = values, columns
    rows.indptr = start.astype(columns.dtype, copy=False)
    return rows


def _slices(ends: np.ndarray, size: int) -> Iterator[slice]:
    """Runs of items of about ``size`` in all, one at least; item j spans ends[j] to ends[j + 1]."""
    n, first = len(ends) - 1, 0
    while first < n:
        last = int(np.searchsorted(ends, ends[first] + size, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield slice(first, last)
        first = last
