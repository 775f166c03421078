"""Joint features of some tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import FeatureWise, Shrunk
from polytask.penalties.joint import JointFeatures

__all__ = ["TaskGroup"]


@dataclass(frozen=True, eq=False)
class TaskGroup(FeatureWise):
    """value(B) = alpha sum_j ‖b^j‖_2 over the tasks of a group: a seminorm.

    Parameters
    ----------
    alpha : float
    members : bool ndarray of shape (m,)
    """

    alpha: float
    members: np.ndarray

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return JointFeatures(self.alpha).per_feature(B[self.members])

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """The members' columns shortened; the others as they are."""
        inside, value = JointFeatures(self.alpha).shrink(B[self.members], step)
        L = B.copy()
        L[self.members] = inside
        return Shrunk(L, value)
