"""The trace norm, the convex envelope of the rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.spectral import (
    numerical_rank,
    singular_vectors,
    soft_threshold,
    spectral_norm,
    tangent_split,
)

__all__ = ["TraceNorm"]


@dataclass(frozen=True, eq=False)
class TraceNorm:
    """value(B) = alpha ‖B‖_* (sum of singular values), infinite above ``max_rank``.

    Parameters
    ----------
    alpha : float
    max_rank : int or None
        With it the penalty is not convex.
    """

    spectral: ClassVar[str] = "values"
    alpha: float
    max_rank: int | None = None

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        s = np.linalg.svd(B, compute_uv=False)
        if self.max_rank is not None and numerical_rank(s) > self.max_rank:
            return np.inf
        return self.alpha * float(s.sum())

    def prox(self, B: np.ndarray, step: float) -> np.ndarray:
        """Minimizer over L of ½‖L - B‖_F² + step value(L)."""
        return soft_threshold(B, step * self.alpha, self.max_rank).matrix

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero.

        The subdifferential is alpha (U V' + Z), ‖Z‖_2 <= 1, Z across B's rows and columns. At
        ``max_rank`` no direction across is feasible.
        """
        U, V = singular_vectors(B)
        full = self.max_rank is not None and np.linalg.matrix_rank(B) >= self.max_rank
        return self.residual_at(U, V, G, full)

    def residual_at(
        self, U: np.ndarray, V: np.ndarray, G: np.ndarray, full: bool = False
    ) -> np.ndarray:
        """`residual` at a B with singular vectors U (m, r) and V (d, r); ``full`` at the limit."""
        along, across = tangent_split(U, V, G)
        along += self.alpha * (U @ V.T)
        if full or spectral_norm(across) <= self.alpha:
            return along
        return along + soft_threshold(across, self.alpha).matrix
