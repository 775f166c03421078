"""A limit on the trace norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import Shrunk
from polytask.penalties.shrinkage import residual_by_shrinkage
from polytask.penalties.spectral import spectral_norm

__all__ = ["TraceBall"]

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class TraceBall:
    """value(B) = 0 where ‖B‖_* <= radius, infinite elsewhere.

    Parameters
    ----------
    radius : float
    """

    radius: float

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        inside = np.linalg.svd(B, compute_uv=False).sum() <= self.radius * (1.0 + _ROUNDING)
        return 0.0 if inside else np.inf

    def dual(self, G: np.ndarray) -> float:
        """Zero: ⟨G, B⟩ is bounded by the ball, see `support`."""
        return 0.0

    def support(self, G: np.ndarray) -> float:
        """The largest ⟨G, B⟩ in the ball."""
        return self.radius * spectral_norm(G)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """The nearest point of the ball: singular values lowered alike, none below zero."""
        U, s, Vt = np.linalg.svd(B, full_matrices=False)
        if s.sum() <= self.radius:
            return Shrunk(B, 0.0)
        cuts = (np.cumsum(s) - self.radius) / np.arange(1, len(s) + 1)
        s = np.maximum(s - cuts[np.flatnonzero(s >= cuts)[-1]], 0.0)
        return Shrunk((U * s) @ Vt, 0.0)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + the ball's normal cone at B nearest to zero."""
        return residual_by_shrinkage(self, B, G)
