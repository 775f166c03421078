"""The norm under which all tasks keep or drop a feature together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["JointFeatures"]


@dataclass(frozen=True, eq=False)
class JointFeatures(FeatureWise):
    """value(B) = sum_j alpha_j ‖b^j‖_2, where b^j holds the tasks' coefficients of feature j.

    Parameters
    ----------
    alpha : float or ndarray of shape (d,)
    """

    alpha: float | np.ndarray
    by_entries: ClassVar[float] = 0.0

    @property
    def by_features(self) -> float | np.ndarray:
        """What the length of a feature's coefficients costs; single ones cost nothing."""
        return self.alpha

    def on_features(self, kept: np.ndarray) -> JointFeatures:
        """With their alphas."""
        return self if np.ndim(self.alpha) == 0 else JointFeatures(np.asarray(self.alpha)[kept])

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * _lengths(B))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Longest column, each over its alpha."""
        return float((_lengths(G) / self.alpha).max(initial=0.0))

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Columns shortened by step alpha, shorter ones set to zero."""
        length = _lengths(B)
        left = np.maximum(length - step * self.alpha, 0.0)
        keep = np.divide(left, length, out=np.zeros_like(length), where=length > 0)
        return Shrunk(B * keep, float((self.alpha * left).sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        length = _lengths(B)
        unit = np.divide(B, length, out=np.zeros_like(B), where=length > 0)
        return np.where(length > 0, G + self.alpha * unit, self.shrink(G, 1.0).matrix)


def _lengths(B: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("mj,mj->j", B, B))
