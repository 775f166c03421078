"""What the factored form knows before any point: the average task, the rest's columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from polytask.algebra.linalg import psd_inverse
from polytask.data import TaskData
from polytask.penalties import Penalty
from polytask.solvers.factored.truncated_newton import Direction
from polytask.solvers.norms.squares import Squares
from polytask.structures import Blocks, CommonDeviation

__all__ = ["AverageTask", "RestColumns"]

_GAINED = 0.97  # share of it, so that the difference stays positive
_DENSE_UP_TO = 300  # features up to which a matrix a column is little work


class RestColumns:
    """The rest as changes from its optimum at L = 0: columns of a task's own, and common ones.

    ``own``, ``common`` are columns of the design; ``own_ridge``, ``common_ridge`` the curvature of
    their penalties. A common column is left out where every task has it free.
    """

    def __init__(
        self, rest: CommonDeviation, penalties: Mapping[str, Penalty], zero: Blocks, data: TaskData
    ) -> None:
        self.zero, self.p = zero, data.n_coefs
        self.own, self.common = np.flatnonzero(rest.deviation), np.flatnonzero(rest.common)
        self.own_ridge = 2.0 * penalties["deviation"].strength  # type: ignore[attr-defined]
        ridge = 2.0 * penalties["common"].strength  # type: ignore[attr-defined]
        self.kept = ~np.isin(self.common, self.own[self.own_ridge == 0])
        self.common, self.common_ridge = self.common[self.kept], ridge[self.kept]
        self.empty = data.sizes == 0

    def padded(self, C: np.ndarray) -> np.ndarray:
        """Local columns in the space of Theta, shape (p, k + own)."""
        k = C.shape[1]
        Z = np.zeros((self.p, k + len(self.own)))
        Z[: len(C), :k] = C
        Z[self.own, k + np.arange(len(self.own))] = 1.0
        return Z

    def ridge(self, k: int, alpha: float) -> np.ndarray:
        """Curvature of the penalties on a task's heads and own part, shape (1 or m, k + own)."""
        D = np.append(np.full(k, alpha), self.own_ridge)
        # a task without rows keeps its own part where it is
        return D + self.empty[:, None] * (D == 0) if self.empty.any() else D[None]

    def common_of(self, start: Blocks) -> np.ndarray:
        """The common part of blocks, as a change."""
        return (start["common"] - self.zero["common"])[self.kept]

    def blocks(self, common: np.ndarray, own: np.ndarray) -> Blocks:
        """The rest itself."""
        whole = self.zero["common"].copy()
        whole[self.kept] += common
        return {"common": whole, "deviation": self.zero["deviation"] + own}


class AverageTask:
    """The mean over tasks of their Hessians, dense or by its diagonal."""

    n_tasks: int
    columns: RestColumns
    gradient_at_zero: np.ndarray

    def set_average(self, F: Squares) -> None:
        """From the sum over tasks, or from its diagonal where there are no Gram matrices."""
        total = _diagonal(F) if not F.curvature.products else F.curvature.total()
        self.n_tasks, d = self.gradient_at_zero.shape
        self.total, self.turn = total / self.n_tasks, None
        if total.ndim == 2:
            values, self.turn = np.linalg.eigh(self.total[:d, :d])
            self.values = np.maximum(values, 0.0)
        else:
            self.values = self.total[:d]
        c, ridge = self.columns.common, self.columns.common_ridge
        square = total[np.ix_(c, c)] if total.ndim == 2 else np.diag(total[c])
        self.common_inverse = psd_inverse(square + np.diag(ridge)) if len(c) else square

    def average(self, L: np.ndarray) -> np.ndarray:
        """The average Hessian applied to every row of L (m, d)."""
        if self.turn is None:
            return np.asarray(L * self.values)
        d = len(self.values)
        product: np.ndarray = L @ self.total[:d, :d]
        return product

    def curvature_along(self, V: np.ndarray) -> np.ndarray:
        """V'Hv of the average task for every column v, shape (k,)."""
        return np.einsum("dk,kd->k", V, self.average(V.T))

    def preconditioner(
        self, at: Any, alpha: float, convex: bool
    ) -> Callable[[Direction], Direction]:
        """The inverse of (mean b b') ⊗ (the average Hessian) + alpha, column by column of C.

        Where the heads' inverses A_i^-1 are known, less what a column gains by the heads that it
        pulls along, sum_i (A_i^-1)_jj g_i g_i'. It nearly cancels alpha where a weak direction may
        turn towards a missing one.
        """
        square = (at.B * at.B).sum(axis=0)
        if not convex and self.turn is not None and len(self.values) <= _DENSE_UP_TO:
            inverse = self._columns_inverse(square, at, alpha)

            def solve(r: Direction) -> Direction:
                C = (inverse @ r.C.T[:, :, None])[:, :, 0].T
                return Direction(C, self.common_inverse @ r.common)

            return solve
        scale = self.values[:, None] * square + alpha

        def apply(r: Direction) -> Direction:
            C = r.C / scale if self.turn is None else self.turn @ ((self.turn.T @ r.C) / scale)
            return Direction(C, self.common_inverse @ r.common)

        return apply

    def _columns_inverse(self, square: np.ndarray, at: Any, alpha: float) -> np.ndarray:
        k, d = len(square), len(self.values)
        pulled = np.einsum("ijj->ji", at.inverse)[:k]
        M = (at.g.T * pulled[:, None, :]) @ at.g
        top = max(
            float(np.sqrt(at.squares[-1])), alpha
        )  # A_i^-1 is at most 1/alpha: M stays positive
        M *= -_GAINED * (alpha / top) ** 2
        M += square[:, None, None] * self.total[:d, :d]
        np.einsum("jdd->jd", M)[:] += alpha
        inverse: np.ndarray = np.linalg.inv(M)
        return inverse


def _diagonal(F: Squares) -> np.ndarray:
    return (F.data.design.column_norms(F.v) ** 2).sum(axis=0)
