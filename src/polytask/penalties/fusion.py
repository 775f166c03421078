"""Differences of neighbouring tasks, most of them zero: coefficients are steps along the tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["Fusion"]


@dataclass(frozen=True, eq=False)
class Fusion(FeatureWise):
    """value(B) = sum_j alpha_j sum_i abs(B_i+1,j - B_ij), tasks in their order: a seminorm.

    Parameters
    ----------
    alpha : float or ndarray of shape (d,)
    """

    of_differences: ClassVar[bool] = True
    alpha: float | np.ndarray

    def on_features(self, kept: np.ndarray) -> Fusion:
        """With their alphas."""
        return self if np.ndim(self.alpha) == 0 else Fusion(np.asarray(self.alpha)[kept])

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(self.alpha * np.abs(np.diff(B, axis=0)).sum(axis=0))

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Minimizer over L of ½‖L - B‖_F² + step value(L), by dynamic programming.

        The derivative of the best value up to task i, as a function of that task's coefficient, is
        piecewise linear; passing a difference on clips it to ± step alpha (Johnson 2013). Here
        knots stay in the list when they are clipped, so that all features go together.
        """
        m, d = B.shape
        clip = np.minimum(
            step * self.alpha, 2.0 * np.abs(B).sum(axis=0)
        )  # from there all are equal
        low, high = np.empty((m, d)), np.empty((m, d))
        knots, slopes = B[:1], np.zeros((1, d))
        for i in range(m):
            if i:
                slopes = slopes + knots - B[i]
            cut = clip * (i < m - 1)
            low[i], high[i] = _reaches(knots, slopes, cut)
            inside = np.minimum(np.maximum(knots, low[i]), high[i])
            knots = np.concatenate([low[i : i + 1], inside, high[i : i + 1]])
            slopes = np.concatenate([-cut[None], slopes, cut[None]])
            slopes = np.minimum(np.maximum(slopes, -cut), cut)
        L = low.copy()
        for i in range(m - 2, -1, -1):
            L[i] = np.minimum(np.maximum(L[i + 1], low[i]), high[i])
        return Shrunk(L, float(self.per_feature(L).sum()))


def _reaches(
    knots: np.ndarray, slopes: np.ndarray, cut: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each column's function is -cut and cut; past its knots it rises with slope one."""
    beyond = 2.0 * (np.abs(slopes).max(axis=0) + cut) + np.abs(knots).max(axis=0)
    beyond = np.where(beyond > 0, beyond, 1.0)
    x = np.concatenate([knots[:1] - beyond, knots, knots[-1:] + beyond])
    v = np.concatenate([slopes[:1] - beyond, slopes, slopes[-1:] + beyond])
    j, found = np.arange(x.shape[1]), []
    for target in (-cut, cut):
        at = (v <= target).sum(axis=0) - 1
        left, value, rise = x[at, j], v[at, j], v[at + 1, j] - v[at, j]
        found.append(left + (target - value) / rise * (x[at + 1, j] - left))
    return found[0], found[1]
