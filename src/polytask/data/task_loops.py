"""Products with rows that stand in tasks: one compiled pass over them, where numba is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from polytask.compiled import loops
from polytask.data.threads import share

__all__ = ["TaskLoops", "floats", "row_loops"]

_FEW, _WIDEST = 32, 400  # columns up to which passes pay, and products of all tasks
_A_ROW, _A_NUMBER = 5e-9, 2e-10  # seconds that they save in a product


class TaskLoops:
    """What `TaskProducts` does, for tasks of any size.

    Parameters
    ----------
    compiled : module
        `polytask.compiled.rows`.
    X : ndarray of shape (N, p)
        float64, contiguous.
    start : ndarray of shape (m + 1,)
        Offsets of the tasks.
    """

    def __init__(self, compiled: Any, X: np.ndarray, start: np.ndarray) -> None:
        self.compiled, self.X, self.start = compiled, X, start

    @classmethod
    def of(cls, X: np.ndarray, start: np.ndarray, products: float) -> Self | None:
        """Those of a design, where so many ``products`` with rows are worth loading them."""
        compiled = loops("rows", products * _saved(X)) if X.shape[1] <= _WIDEST else None
        return None if compiled is None else cls(compiled, X, start)

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """x'w_i of every row (N,), theta of shape (m, p)."""
        out, theta = np.empty(len(self.X)), floats(theta)
        self._each(lambda some: self._call("predict", theta, some, out), 1.0)
        return out

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """sum_k u_k x_k in each task, shape (m, p)."""
        out, u = self._sums(), floats(u)
        self._each(lambda some: self._call("adjoint", u, some, out), 1.0)
        return out

    def residuals(
        self, theta: np.ndarray, y: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The f (N,) of `predict`, and `adjoint` of weight (f - y)."""
        f, out, given = np.empty(len(self.X)), self._sums(), [*map(floats, (y, weight, theta))]
        self._each(lambda some: self._call("residuals", *given, some, f, out), 2.0)
        return f, out

    def grams(self, v: np.ndarray, wanted: np.ndarray, out: np.ndarray) -> np.ndarray:
        """sum_k v_k x_k x_k' of the tasks that are ``wanted`` (m,), written to out (m, p, p)."""
        none, v = np.zeros((0, self.X.shape[1])), floats(v)
        self._each(
            lambda some: self._call("moments", v, v, some[wanted[some]], out, none), self.X.shape[1]
        )
        return out

    def moments(self, v: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`grams` of all tasks, and `adjoint` of v y."""
        cross, p, v, y = self._sums(), self.X.shape[1], floats(v), floats(y)
        grams = np.empty((len(cross), p, p))
        self._each(lambda some: self._call("moments", v, y, some, grams, cross), p)
        return grams, cross

    def _sums(self) -> np.ndarray:
        return np.zeros((len(self.start) - 1, self.X.shape[1]))

    def _call(self, name: str, *args: Any) -> None:
        getattr(self.compiled, name)(self.X, self.start, *args)

    def _each(self, work: Callable[[np.ndarray], None], cost: float) -> None:
        """Call ``work`` with every task, in threads where it pays."""
        share(work, np.arange(len(self.start) - 1), self.X.size * cost)


def row_loops(design: Any, products: float = 1.0, most: int = _FEW, room: str = "rows") -> Any:
    """Compiled passes over rows (of `polytask.compiled.rows`); None where they do not pay.

    They read the rows of an array as they are, of ``most`` numbers at most. A pass saves about what
    it saves of so many ``products`` with rows.
    """
    if not design.plain or design.n_columns > most:
        return None
    return loops(room, products * _saved(design.X))


def _saved(X: np.ndarray) -> float:
    return _A_ROW * len(X) + _A_NUMBER * X.size


def floats(values: np.ndarray) -> np.ndarray:
    """Values as compiled loops take them: in float64, side by side."""
    return np.ascontiguousarray(values, dtype=np.float64)
