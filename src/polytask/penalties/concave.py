"""Joint features whose price levels off: large coefficients are not shrunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.joint import JointFeatures

__all__ = ["ConcaveFeatures"]

_REST = 1e-2  # share that stays joint features, so that every stage has a duality gap


@dataclass(frozen=True, eq=False)
class ConcaveFeatures:
    """value(B) = sum_j rho(‖b^j‖_2), rho rising with slope alpha at zero and flat from a length on.

    Not convex. A hundredth of it stays alpha sum_j ‖b^j‖_2.

    Parameters
    ----------
    alpha : float
    kind : {"mcp", "scad", "capped"}
        How the slope falls to zero: evenly; evenly from alpha unit on; at once.
    gamma : float
        It is zero from the length gamma alpha unit on.
    unit : float
        Length per gradient: one over the curvature of R in a coefficient.
    """

    alpha: float
    kind: str
    gamma: float
    unit: float

    def slope(self, length: np.ndarray) -> np.ndarray:
        """Derivative of rho at lengths, shape (d,)."""
        t, end = length / (self.alpha * self.unit), self.gamma
        fall = {
            "mcp": np.clip(1.0 - t / end, 0.0, 1.0),
            "scad": np.clip((end - t) / (end - 1.0), 0.0, 1.0),
            "capped": (t < end).astype(float),
        }[self.kind]
        return np.asarray(self.alpha * ((1.0 - _REST) * fall + _REST))

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d): the integral of the slope."""
        length = JointFeatures(1.0).per_feature(B)
        scale = self.alpha * self.unit
        turn = scale if self.kind == "scad" else 0.0
        end = self.gamma * scale
        if self.kind == "capped":
            return np.asarray(self.alpha * ((1 - _REST) * np.minimum(length, end) + _REST * length))
        inside = np.clip(length, turn, end) - turn
        level = np.minimum(length, turn) + inside - inside**2 / (2.0 * (end - turn))
        return np.asarray(self.alpha * ((1.0 - _REST) * level + _REST * length))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Zero is stationary where this is at most 1."""
        return JointFeatures(self.alpha).dual(G)

    def above(self, B: np.ndarray) -> JointFeatures:
        """The norm that touches the penalty at B, up to a constant, and lies above it."""
        return JointFeatures(self.slope(JointFeatures(1.0).per_feature(B)))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.above(B).residual(B, G)
