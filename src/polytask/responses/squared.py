"""Half the squared error."""

from __future__ import annotations

import numpy as np

__all__ = ["Squared"]


class Squared:
    """loss(y, f) = (y - f)² / 2, as in scikit-learn's GLMs."""

    name = "squared"
    curvature_bound = 1.0
    constant_curvature = True

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return 0.5 * (y - f) ** 2

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return f - y

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        return np.ones_like(f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return np.zeros_like(f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)) = u²/2 + u y."""
        return 0.5 * u**2 + u * y

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Expected target of a linear predictor."""
        return f
