"""A norm with a quadratic beside it, on one block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import Norm, Quadratic

__all__ = ["NormPlus"]


@dataclass(frozen=True, eq=False)
class NormPlus:
    """value(B) = norm(B) + quadratic(B); solvers count the quadratic to the smooth part.

    Parameters
    ----------
    norm : Norm
    quadratic : Quadratic
    """

    norm: Norm
    quadratic: Quadratic

    def value(self, B: np.ndarray) -> float:
        """Penalty of B."""
        return self.norm.value(B) + self.quadratic.value(B)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.norm.residual(B, G + self.quadratic.gradient(B))
