"""Elimination of the largest grouping where what is left is too large for a dense system.

S = I + L_r'K L_r is applied as an operator, through the sparse cross products, and S b = t solved
by conjugate gradients with its diagonal as preconditioner. Solutions are as exact as the dense
ones; determinants, and the covariances of single rows, are not known.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from polytask.mixed.crossed.point import Elimination

__all__ = ["IterativeElimination"]

_TOL = 1e-13  # of what is left, over the right-hand side
_MOST = 5000  # iterations; what is then missing shows in the violation


class IterativeElimination(Elimination):
    """`Elimination` without a factor: coefficients at given roots."""

    def _factor(self) -> None:
        self.log_det = np.nan

    @property
    def N(self) -> np.ndarray:
        """Not known."""
        raise ValueError(
            "rows left out need the dense system, of 10,000 deviations beside the largest grouping "
            "at most; this fit has more. Refit without the rows."
        )

    def _K(self, B: np.ndarray) -> np.ndarray:
        sums = self.sums
        return np.asarray(sums.rest @ B - sums.cross.T @ (self.EC @ B))

    def _S(self, b: np.ndarray) -> np.ndarray:
        B = b.reshape(-1, 1)
        return (B + self._right(self._K(self._left(B)))).ravel()

    @cached_property
    def _diagonal(self) -> np.ndarray:
        """Of S, but for correlations inside a level."""
        of_K = self.sums.rest.diagonal() - np.asarray(self.sums.cross.multiply(self.EC).sum(axis=0))
        square = [
            np.tile(np.square(L).sum(axis=0), (part.stop - part.start) // len(L))
            for part, L in zip(self.parts, self.roots[1:], strict=True)
        ]
        return 1.0 + np.concatenate(square) * of_K.ravel()

    def _among(self, t: np.ndarray) -> np.ndarray:
        Q = len(t)
        S = LinearOperator((Q, Q), matvec=self._S)
        M = LinearOperator((Q, Q), matvec=lambda b: b.ravel() / self._diagonal)
        right = self._right(t)
        columns = [cg(S, c, rtol=_TOL, maxiter=_MOST, M=M)[0] for c in right.T]
        return self._left(np.column_stack(columns))
