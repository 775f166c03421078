"""The quadratic penalty, with a strength per coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import FeatureWise

__all__ = ["Ridge"]


@dataclass(frozen=True, eq=False)
class Ridge(FeatureWise):
    """value(B) = sum_k strength_k sum_i B_ik² (no factor one half).

    Parameters
    ----------
    strength : ndarray of shape (k,)
        Zero leaves a coefficient free.
    """

    strength: np.ndarray

    def repeated(self, q: int) -> Ridge:
        """The same for each of q parts of the coefficients."""
        return Ridge(np.tile(self.strength, q))

    def on_features(self, kept: np.ndarray) -> Ridge:
        """With their strengths."""
        return Ridge(self.strength[kept])

    def value(self, B: np.ndarray) -> float:
        """Penalty of B, of shape (k,) or (m, k)."""
        B = np.where(self.strength > 0, B, 0.0)  # a free coefficient may be beyond squaring
        return float((self.strength * B**2).sum())

    def gradient(self, B: np.ndarray) -> np.ndarray:
        """2 strength B."""
        return np.asarray(2.0 * self.strength * B)

    def diagonal(self, B: np.ndarray) -> np.ndarray:
        """2 strength, the same for every task."""
        return 2.0 * self.strength

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part plus that of the penalty."""
        return G + self.gradient(B)
