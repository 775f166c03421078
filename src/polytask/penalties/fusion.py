"""Differences of neighbouring tasks, most of them zero: coefficients are steps along the tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk
from polytask.penalties.total_variation import few_changes

__all__ = ["Fusion"]


@dataclass(frozen=True, eq=False)
class Fusion(FeatureWise):
    """value(B) = sum_j alpha_j sum_i abs(B_i+1,j - B_ij), tasks in their order: a seminorm.

    Parameters
    ----------
    alpha : float or ndarray of shape (d,)
    """

    alpha: float | np.ndarray

    @property
    def by_changes(self) -> float | np.ndarray:
        """What the difference of neighbours costs."""
        return self.alpha

    def on_features(self, kept: np.ndarray) -> Fusion:
        """With their alphas."""
        return self if np.ndim(self.alpha) == 0 else Fusion(np.asarray(self.alpha)[kept])

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * np.abs(np.diff(B, axis=0)).sum(axis=0))

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Minimizer over L of ½‖L - B‖_F² + step value(L)."""
        L = few_changes(B, np.broadcast_to(step * self.alpha, B.shape[1]))
        return Shrunk(L, float(self.per_feature(L).sum()))
