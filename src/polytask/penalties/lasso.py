"""The sum of absolute values: every task keeps or drops a feature by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["Lasso"]


@dataclass(frozen=True, eq=False)
class Lasso(FeatureWise):
    """value(B) = sum_ij alpha_j |B_ij|.

    Parameters
    ----------
    alpha : float or ndarray of shape (d,)
    """

    alpha: float | np.ndarray
    by_features: ClassVar[float] = 0.0
    entry_steps: ClassVar[bool] = True

    @property
    def by_entries(self) -> float | np.ndarray:
        """What single coefficients cost; their length costs nothing."""
        return self.alpha

    def on_features(self, kept: np.ndarray) -> Lasso:
        """With their alphas."""
        return self if np.ndim(self.alpha) == 0 else Lasso(np.asarray(self.alpha)[kept])

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * np.abs(B).sum(axis=0))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Largest entry, each over its alpha."""
        return float((np.abs(G) / self.alpha).max(initial=0.0))

    def shrink(self, B: np.ndarray, step: float | np.ndarray) -> Shrunk:
        """Entries lowered by step alpha, smaller ones set to zero."""
        left = np.maximum(np.abs(B) - step * self.alpha, 0.0)
        return Shrunk(np.copysign(left, B), float((self.alpha * left).sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return np.where(B != 0, G + self.alpha * np.sign(B), self.shrink(G, 1.0).matrix)
