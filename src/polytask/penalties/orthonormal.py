"""P'P = I as a penalty: zero on the set, infinite off it."""

from __future__ import annotations

import numpy as np

__all__ = ["Orthonormal"]

_TOL = 1e-8


class Orthonormal:
    """value(P) = 0 if P'P = I, else infinite; for objectives that rotations of P do not change."""

    orthonormal = True

    def value(self, B: np.ndarray) -> float:
        """0 or infinity for B (d, k)."""
        return 0.0 if np.abs(B.T @ B - np.eye(B.shape[1])).max(initial=0.0) < _TOL else np.inf

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """(I - P P') G, the gradient on the Grassmann manifold: rotations inside P are free."""
        return G - B @ (B.T @ G)
