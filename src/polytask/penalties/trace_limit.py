"""The trace norm of matrices whose rank is limited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.spectral import numerical_rank, singular_vectors, tangent_split
from polytask.penalties.trace import TraceNorm

__all__ = ["LimitedTraceNorm"]


@dataclass(frozen=True, eq=False)
class LimitedTraceNorm:
    """value(B) = alpha ‖B‖_* up to rank ``max_rank``, infinite above: not convex.

    Parameters
    ----------
    alpha : float
    max_rank : int
    """

    spectral: ClassVar[str] = "values"
    alpha: float
    max_rank: int

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        s = np.linalg.svd(B, compute_uv=False)
        return np.inf if numerical_rank(s) > self.max_rank else self.alpha * float(s.sum())

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """That of the trace norm; at the limit no direction across B's rank is feasible."""
        if np.linalg.matrix_rank(B) < self.max_rank:
            return TraceNorm(self.alpha).residual(B, G)
        U, V = singular_vectors(B)
        return tangent_split(U, V, G)[0] + self.alpha * (U @ V.T)
