"""The trace norm, the convex envelope of the rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import Shrunk
from polytask.penalties.spectral import (
    is_below,
    singular,
    singular_vectors,
    soft_threshold,
    spectral_norm,
    tangent_split,
)

__all__ = ["TraceNorm"]


@dataclass(frozen=True, eq=False)
class TraceNorm:
    """value(B) = alpha ‖B‖_*, the sum of singular values.

    Parameters
    ----------
    alpha : float
    """

    spectral: ClassVar[str] = "values"
    multiple: ClassVar[bool] = True  # alpha times a norm without it: one dual norm serves all
    alpha: float

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return self.alpha * float(singular(B)[1].sum())

    def dual(self, G: np.ndarray) -> float:
        """Largest singular value over alpha."""
        return spectral_norm(G) / self.alpha

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Singular values lowered by step alpha."""
        matrix, s = soft_threshold(B, step * self.alpha)
        return Shrunk(matrix, self.alpha * float(s.sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero.

        The subdifferential is alpha (U V' + Z), ‖Z‖_2 <= 1, Z across B's rows and columns.
        """
        U, V = singular_vectors(B)
        along, across = tangent_split(U, V, G)
        along += self.alpha * (U @ V.T)
        if is_below(across, self.alpha):
            return along
        return along + soft_threshold(across, self.alpha).matrix
