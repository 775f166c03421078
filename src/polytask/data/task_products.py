"""Products with rows: of one task after the other, each a call of BLAS in place, or of batches.

Or of short rows in compiled loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from polytask.compiled import loops
from polytask.data.threads import share

__all__ = ["TaskProducts", "floats", "row_loops", "weighted_grams"]

_LONG, _UNEVEN = 8_000, 2_000  # numbers in a task from which on; of tasks that would be padded
_CHUNK = 4_000_000  # numbers in a block of rows that is weighted: 32 MB
_FEW = 32  # columns up to which compiled loops pay
_SAVED = 1e-8  # seconds that they save in a product, for each number in the rows
_THREADS_FROM = 2e7  # multiplications below which a second thread costs more than it saves


class TaskProducts:
    """What a design does with rows that stand in tasks, in float64, as they are.

    Parameters
    ----------
    X : ndarray of shape (N, p)
    start : ndarray of shape (m + 1,)
        Offsets of the tasks.
    """

    def __init__(self, X: np.ndarray, start: np.ndarray) -> None:
        self.X, self.start = X, start
        self.edges = list(zip(start[:-1].tolist(), start[1:].tolist(), strict=True))

    @classmethod
    def of(cls, X: Any, index: np.ndarray | None, start: np.ndarray, shift: Any) -> Self | None:
        """Those of a design; None where rows are gathered or widened, or batches are faster."""
        plain = isinstance(X, np.ndarray) and X.dtype == np.float64 and X.flags.c_contiguous
        if not plain or index is not None or shift is not None or len(start) < 2:
            return None
        sizes = np.diff(start)
        uneven = bool((sizes != sizes[0]).any())
        long = X.size >= (_UNEVEN if uneven else _LONG) * len(sizes)
        return cls(X, start) if long else None

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """x'w_i of every row (N,), theta of shape (m, p)."""
        out = np.empty(len(self.X))

        def work(i: int, a: int, b: int) -> None:
            np.dot(self.X[a:b], theta[i], out=out[a:b])

        self._each(work, 1.0)
        return out

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """sum_k u_k x_k in each task, shape (m, p)."""
        out = np.empty((len(self.edges), self.X.shape[1]))

        def work(i: int, a: int, b: int) -> None:
            np.dot(u[a:b], self.X[a:b], out=out[i])

        self._each(work, 1.0)
        return out

    def grams(self, v: np.ndarray, wanted: np.ndarray, out: np.ndarray) -> np.ndarray:
        """sum_k v_k x_k x_k' of the tasks that are ``wanted`` (m,), written to out (m, p, p)."""
        X, p = self.X, self.X.shape[1]
        step = max(1, _CHUNK // p)

        def work(i: int, a: int, b: int) -> None:
            if not wanted[i]:
                return
            rows, weights = X[a:b], v[a:b]
            if a < b and (weights == weights[0]).all():  # BLAS sees that Z'Z is symmetric
                np.dot(rows.T, rows, out=out[i])
                out[i] *= weights[0]
                return
            root = np.sqrt(weights)[:, None]
            for first in range(0, max(b - a, 1), step):
                Z = rows[first : first + step] * root[first : first + step]
                if first:
                    out[i] += Z.T @ Z
                else:
                    np.dot(Z.T, Z, out=out[i])

        self._each(work, p)
        return out

    def _each(self, work: Callable[[int, int, int], None], cost: float) -> None:
        """Call ``work`` with every task and where it begins and ends, in threads where it pays."""

        def some(tasks: Iterable[int]) -> None:
            for i in tasks:
                work(i, *self.edges[i])

        if self.X.size * cost < _THREADS_FROM:
            some(range(len(self.edges)))
        else:
            share(some, np.arange(len(self.edges)))


def weighted_grams(rows: np.ndarray, v: np.ndarray) -> np.ndarray:
    """sum_j v_j x_j x_j' of each task in a batch, rows (b, n, p) and v (b, n)."""
    level = v[:, :1]
    if (v == level).all():  # no copy of the rows, and BLAS sees that Z'Z is symmetric
        product = rows.transpose(0, 2, 1) @ rows
        return np.asarray(np.multiply(product, level[:, :, None], out=product))
    Z = rows * np.sqrt(v)[:, :, None]
    return np.asarray(Z.transpose(0, 2, 1) @ Z)


def row_loops(design: Any, products: float = 1.0, most: int = _FEW, room: str = "rows") -> Any:
    """Compiled passes over rows (of `polytask.compiled.rows`); None where they do not pay.

    They read the rows of an array as they are, of ``most`` numbers at most. A pass saves about what
    it saves of so many ``products`` with rows.
    """
    X = design.X
    plain = isinstance(X, np.ndarray) and X.dtype == np.float64 and X.flags.carray
    if not plain or X.shape[1] > most or design.index is not None or design.shift is not None:
        return None
    return loops(room, products * _SAVED * X.size)


def floats(values: np.ndarray) -> np.ndarray:
    """Values as compiled loops take them: in float64, side by side."""
    return np.ascontiguousarray(values, dtype=np.float64)
