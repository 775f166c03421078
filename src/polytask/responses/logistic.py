"""The logistic loss of 0/1 targets."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlog1py, xlogy

__all__ = ["Logistic"]


class Logistic:
    """loss(y, f) = log(1 + exp(f)) - y f for y in {0, 1}: minus the log likelihood."""

    name = "logistic"
    curvature_bound = 0.25
    constant_curvature = False

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return np.logaddexp(0.0, f) - y * f

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return expit(f) - y

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        p = expit(f)
        return p * (1.0 - p)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        p = expit(f)
        return p * (1.0 - p) * (1.0 - 2.0 * p)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): q log q + (1-q) log(1-q) at q = u + y in [0, 1]."""
        q = u + y
        inside = (q >= 0) & (q <= 1)
        q = np.clip(q, 0.0, 1.0)
        return np.where(inside, xlogy(q, q) + xlog1py(1.0 - q, -q), np.inf)

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Probability that y = 1."""
        return expit(f)
