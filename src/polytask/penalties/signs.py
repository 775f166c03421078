"""Coefficients that may be of one sign only: a cone, inside of norms that do not mind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk

__all__ = ["Signs"]


@dataclass(frozen=True, eq=False)
class Signs(FeatureWise):
    """value(B) = 0 where signs B >= 0, infinite elsewhere: a cone. Zero signs leave B free.

    Its projection followed by the shrinkage of a norm that depends on absolute values alone is the
    shrinkage within the cone; and so is it after that of differences of tasks (`Fusion`), because
    cutting off at zero turns no difference around.

    Parameters
    ----------
    signs : ndarray of shape (d,), or (d, 1) of a transposed block
        -1, 0 or 1.
    """

    signs: np.ndarray

    def on_features(self, kept: np.ndarray) -> Signs:
        """With their signs."""
        return self if self.signs.ndim == 2 else Signs(self.signs[kept])

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Zero, of what `shrink` led to."""
        return np.zeros(B.shape[1])

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """The projection: entries of the wrong sign become zero."""
        return Shrunk(np.where(self.signs * B < 0, 0.0, B), 0.0)
