"""The norm under which a task deviates as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import Shrunk
from polytask.penalties.joint import JointFeatures

__all__ = ["OutlierTasks"]


@dataclass(frozen=True, eq=False)
class OutlierTasks:
    """value(B) = alpha sum_i ‖b_i‖_2, where b_i holds the coefficients of task i.

    Parameters
    ----------
    alpha : float
    """

    alpha: float

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return JointFeatures(self.alpha).value(B.T)

    def dual(self, G: np.ndarray) -> float:
        """Longest row over alpha."""
        return JointFeatures(self.alpha).dual(G.T)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Rows shortened by step alpha, shorter ones set to zero."""
        matrix, value = JointFeatures(self.alpha).shrink(B.T, step)
        return Shrunk(matrix.T, value)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return JointFeatures(self.alpha).residual(B.T, G.T).T
