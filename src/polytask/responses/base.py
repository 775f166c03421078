"""What a loss must answer."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["Loss"]


class Loss(Protocol):
    """A convex loss of a target y and a linear predictor f, observation by observation.

    ``curvature_bound`` bounds the second derivative in f; ``constant_curvature`` says that it is
    constant, so that one Newton step is exact; ``conjugate`` serves duality gaps.
    """

    name: str
    curvature_bound: float
    constant_curvature: bool

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        ...

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        ...

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        ...

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        ...

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)); infinite outside its domain."""
        ...

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Expected target of a linear predictor."""
        ...
