"""A norm of the tasks instead of the features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import Norm, Shrunk

__all__ = ["Transposed"]


@dataclass(frozen=True, eq=False)
class Transposed:
    """value(B) = inner(B'): with joint features, alpha sum_i ‖b_i‖_2, which keeps or drops tasks.

    Parameters
    ----------
    inner : Norm
    """

    inner: Norm

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return self.inner.value(B.T)

    def dual(self, G: np.ndarray) -> float:
        """That of the norm."""
        return self.inner.dual(G.T)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """That of the norm."""
        found = self.inner.shrink(B.T, step)
        return Shrunk(found.matrix.T, found.value)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.inner.residual(B.T, G.T).T
