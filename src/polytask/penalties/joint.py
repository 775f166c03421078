"""The norm under which all tasks keep or drop a feature together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["JointFeatures", "shortened"]

_STEPS, _SETTLED = 100, 1e-9  # of Newton's method; relative step whose square is rounding


@dataclass(frozen=True, eq=False)
class JointFeatures(FeatureWise):
    """value(B) = sum_j alpha_j ‖b^j‖_2, where b^j holds the tasks' coefficients of feature j.

    Parameters
    ----------
    alpha : float or ndarray of shape (d,)
    """

    alpha: float | np.ndarray
    by_entries: ClassVar[float] = 0.0
    entry_steps: ClassVar[bool] = True
    turns: ClassVar[bool] = True  # lengths stay when tasks are turned

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

    def shrink(self, B: np.ndarray, step: float | np.ndarray) -> Shrunk:
        """Columns shortened by step alpha, shorter ones set to zero."""
        if np.ndim(step) == 2:
            c = 1.0 / np.asarray(step)
            L = np.copysign(shortened(np.abs(B) * c, c, self.alpha), B)
            return Shrunk(L, self.value(L))
        length = _lengths(B)
        left = np.maximum(length - step * self.alpha, 0.0)
        keep = np.divide(left, length, out=np.zeros_like(length), where=length > 0)
        return Shrunk(B * keep, float((self.alpha * left).sum()))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        length = _lengths(B)
        unit = np.divide(B, length, out=np.zeros_like(B), where=length > 0)
        return np.where(length > 0, G + self.alpha * unit, self.shrink(G, 1.0).matrix)


def shortened(pull: np.ndarray, curvature: np.ndarray, l2: float | np.ndarray) -> np.ndarray:
    """Minimizers b >= 0 of sum_i ½ c_i b_i² - pull'b + l2 ‖b‖ of every column; pull >= 0.

    b = l s, s = pull / (c l + l2), at the length l at which that is the length of b: 1 / ‖s‖ - 1 is
    concave and rises there (as in trust regions), so that Newton's method climbs from below.
    """
    some = pull > 0
    c = np.where(some, curvature, 1.0)
    far = np.sqrt(np.einsum("ij,ij->j", pull, pull)) - l2
    top = np.where(some, curvature, 0.0).max(axis=0)
    length = np.divide(far, top, out=np.zeros_like(far), where=(far > 0) & (top > 0))
    one = np.where(length > 0, 1.0, 0.0)
    rest = np.where(length > 0, l2, 1.0)  # of columns that become zero

    def step(length: np.ndarray) -> np.ndarray:
        height = c * length + rest
        share = (pull / height) ** 2
        square, slope = share.sum(axis=0), np.einsum("ij,ij->j", share, c / height)
        return np.asarray(one * (np.sqrt(square) - 1.0) * square / np.where(one > 0, slope, 1.0))

    free = one * np.sqrt(((pull / np.where(c > 0, c, 1.0)) ** 2).sum(axis=0))  # with no norm
    length = np.maximum(length, free + step(free))  # below again, as the function is concave
    for _ in range(_STEPS):
        more = step(length)
        length = length + more
        if (more <= _SETTLED * length).all():
            break
    return np.asarray(pull * length / (c * length + rest))


def _lengths(B: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("mj,mj->j", B, B))
