"""A design of few columns: sums over the rows of all tasks at once, instead of task by task."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from polytask.data.design import Design

__all__ = ["ThinDesign", "thin"]

_COLUMNS = 12  # at most
_ROWS = 1000  # of the mean task, at most: longer sums are for BLAS, which also rounds less


class ThinDesign(Design):
    """The same products as `Design`, each a few passes over vectors of length N."""

    @cached_property
    def _columns(self) -> np.ndarray:
        rows = self._wide(self.X[:] if self.index is None else self.X[self.index])
        return np.ascontiguousarray(rows.T)

    @cached_property
    def _code(self) -> np.ndarray:
        return np.repeat(np.arange(self.n_tasks), np.diff(self.start))

    @cached_property
    def _present(self) -> np.ndarray:
        return np.flatnonzero(np.diff(self.start))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Sums of values (q, N) over the rows of each task, shape (m, q)."""
        out = np.zeros((self.n_tasks, len(values)))
        if len(self._present):
            out[self._present] = np.add.reduceat(values, self.start[self._present], axis=1).T
        return out

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """w_i'x of every observation; theta has shape (m, p)."""
        out = np.zeros(self.start[-1])
        for x, w in zip(self._columns, theta.T, strict=True):
            out += x * w[self._code]
        return out

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """sum_k u_k x_k in each task, shape (m, p); the adjoint of `predict`."""
        return self._sums(self._columns * u)

    def grams(self, v: np.ndarray, tasks: np.ndarray | None = None) -> np.ndarray:
        """sum_k v_k x_k x_k' in each task, shape (m, p, p); ``tasks`` restricts nothing here."""
        p = self.n_columns
        i, j = np.triu_indices(p)
        weighted = self._columns * v
        out = np.empty((self.n_tasks, p, p))
        out[:, i, j] = self._sums(weighted[i] * self._columns[j])
        out[:, j, i] = out[:, i, j]
        return out


def thin(design: Design) -> Design:
    """The design, as a thin one where that is the faster."""
    few = design.n_columns <= _COLUMNS and design.start[-1] <= _ROWS * design.n_tasks
    if design.sparse or not few or design.n_tasks < 2:
        return design
    return ThinDesign(design.X, design.index, design.start, design.shift)
