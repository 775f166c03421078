"""The sum of absolute values: every task keeps or drops a feature by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["Lasso"]


@dataclass(frozen=True, eq=False)
class Lasso(FeatureWise):
    """value(B) = alpha sum_ij |B_ij|.

    Parameters
    ----------
    alpha : float
    """

    alpha: float

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * np.abs(B).sum(axis=0))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return self.alpha * float(np.abs(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Largest entry over alpha."""
        return float(np.abs(G).max(initial=0.0)) / self.alpha

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Entries lowered by step alpha, smaller ones set to zero."""
        left = np.maximum(np.abs(B) - step * self.alpha, 0.0)
        return Shrunk(np.copysign(left, B), self.alpha * float(left.sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return np.where(B != 0, G + self.alpha * np.sign(B), self.shrink(G, 1.0).matrix)
