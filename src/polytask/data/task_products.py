"""Products with rows: of one task after the other, each a call of BLAS in place, or of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from polytask.data.threads import share

__all__ = ["TaskProducts", "weighted_grams"]

_LONG, _UNEVEN = 8_000, 2_000  # numbers in a task from which on; of tasks that would be padded
_CHUNK = 100_000  # numbers in a block of rows, that the nearest caches hold
_IN_CACHE = 4_000_000  # numbers that some cache may hold from one reading to the next


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
    def of(cls, X: np.ndarray, start: np.ndarray) -> Self | None:
        """Those of a design whose rows are read as they are; None where batches are faster."""
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

    def residuals(
        self, theta: np.ndarray, y: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The f (N,) of `predict`, and `adjoint` of weight (f - y)."""
        if self.X.size < _IN_CACHE:
            f = self.predict(theta)
            return f, self.adjoint(weight * (f - y))
        f, out = np.empty(len(self.X)), np.zeros((len(self.edges), self.X.shape[1]))

        def work(i: int, a: int, b: int) -> None:
            w, total = theta[i], out[i]
            for first, last in self._pieces(a, b):
                rows, here = self.X[first:last], f[first:last]
                np.dot(rows, w, out=here)
                total += np.dot(weight[first:last] * (here - y[first:last]), rows)

        self._each(work, 2.0)
        return f, out

    def grams(self, v: np.ndarray, wanted: np.ndarray, out: np.ndarray) -> np.ndarray:
        """sum_k v_k x_k x_k' of the tasks that are ``wanted`` (m,), written to out (m, p, p)."""

        def work(i: int, a: int, b: int) -> None:
            if wanted[i] and a < b:
                self._gram(v, a, b, out[i])

        self._each(work, self.X.shape[1])
        return out

    def moments(self, v: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`grams` of all tasks, and `adjoint` of v y."""
        p = self.X.shape[1]
        grams, cross, u = np.empty((len(self.edges), p, p)), np.zeros((len(self.edges), p)), v * y

        def work(i: int, a: int, b: int) -> None:
            gram, total = grams[i], cross[i]
            if a == b:
                gram[:] = 0.0
            for first, last in self._pieces(a, b):
                if first == a:
                    self._gram(v, first, last, gram)
                else:
                    gram += self._gram(v, first, last, np.empty((p, p)))
                total += np.dot(u[first:last], self.X[first:last])

        self._each(work, p)
        return grams, cross

    def _gram(self, v: np.ndarray, a: int, b: int, out: np.ndarray) -> np.ndarray:
        """The sum v x x' of some rows, to out (p, p)."""
        rows, weights = self.X[a:b], v[a:b]
        if (weights == weights[0]).all():  # BLAS sees that Z'Z is symmetric
            np.dot(rows.T, rows, out=out)
            out *= weights[0]
            return out
        root = np.sqrt(weights)[:, None]
        for first, last in self._pieces(0, b - a):
            Z = rows[first:last] * root[first:last]
            if first:
                out += Z.T @ Z
            else:
                np.dot(Z.T, Z, out=out)
        return out

    def _pieces(self, a: int, b: int) -> list[tuple[int, int]]:
        """Rows that a cache holds, no fewer than their columns."""
        p = self.X.shape[1]
        step = max(1, p, _CHUNK // max(p, 1))
        return [(first, min(first + step, b)) for first in range(a, b, step)]

    def _each(self, work: Callable[[int, int, int], None], cost: float) -> None:
        """Call ``work`` with every task and where it begins and ends, in threads where it pays."""

        def some(tasks: np.ndarray) -> None:
            for i in tasks.tolist():
                work(i, *self.edges[i])

        share(some, np.arange(len(self.edges)), self.X.size * cost)


def weighted_grams(rows: np.ndarray, v: np.ndarray) -> np.ndarray:
    """sum_j v_j x_j x_j' of each task in a batch, rows (b, n, p) and v (b, n)."""
    level = v[:, :1]
    if (v == level).all():  # no copy of the rows, and BLAS sees that Z'Z is symmetric
        product = rows.transpose(0, 2, 1) @ rows
        return np.asarray(np.multiply(product, level[:, :, None], out=product))
    Z = rows * np.sqrt(v)[:, :, None]
    return np.asarray(Z.transpose(0, 2, 1) @ Z)
