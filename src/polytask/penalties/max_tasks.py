"""The largest coefficient of each feature over tasks: tasks share features and their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import FeatureWise, Norm, Shrunk
from polytask.penalties.joint import JointFeatures
from polytask.penalties.shrinkage import residual_by_shrinkage

__all__ = ["MaxTasks", "joint_norm"]


@dataclass(frozen=True, eq=False)
class MaxTasks(FeatureWise):
    """value(B) = alpha sum_j max_i |B_ij|, the norm l_{1,inf}.

    Parameters
    ----------
    alpha : float
    """

    entry_steps: ClassVar[bool] = True
    alpha: float

    @property
    def by_largest(self) -> float:
        """What the largest coefficient of a feature costs."""
        return self.alpha

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * np.abs(B).max(axis=0, initial=0.0))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Largest sum of absolute values of a column, over alpha."""
        return float(np.abs(G).sum(axis=0).max(initial=0.0)) / self.alpha

    def shrink(self, B: np.ndarray, step: float | np.ndarray) -> Shrunk:
        """Each column cut off at the height above which step alpha of it lies."""
        if not np.any(step):
            return Shrunk(B, self.value(B))
        size = np.abs(B)
        order = np.argsort(-size, axis=0)
        c = np.broadcast_to(1.0 / np.asarray(step), B.shape)
        sorted_, c = np.take_along_axis(size, order, 0), np.take_along_axis(c, order, 0)
        heights = (np.cumsum(c * sorted_, axis=0) - self.alpha) / np.cumsum(c, axis=0)
        at = np.maximum((sorted_ > heights).sum(axis=0) - 1, 0)
        top = np.maximum(heights[at, np.arange(B.shape[1])], 0.0)
        return Shrunk(np.copysign(np.minimum(size, top), B), self.alpha * float(top.sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return residual_by_shrinkage(self, B, G)


def joint_norm(name: str, alpha: float) -> Norm:
    """What a feature costs in all tasks together, times alpha.

    Parameters
    ----------
    name : {"l2", "max"}
        The length of its coefficients, or the largest.
    alpha : float
    """
    return MaxTasks(alpha) if name == "max" else JointFeatures(alpha)
