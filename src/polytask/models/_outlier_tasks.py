"""What models share in which some tasks have a part of their own, norm by norm."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, NormBase, norm_strength
from polytask.models.base import Strengths
from polytask.penalties import JointFeatures, Penalty, Transposed
from polytask.solvers import Solution

__all__ = ["OutlierTasks"]


class OutlierTasks(NormBase):
    """R(P + Q) + alpha times a norm of P + alpha_outlier sum_i ‖q_i‖_2, W = P + Q.

    Parameters
    ----------
    alpha_outlier : float or "auto", default="auto"
        Strength, positive; larger means fewer outlier tasks. "auto" is chosen with alpha if
        ``alpha="cv"``, down from the strength from which the own part alone would be zero,
        otherwise equal to alpha.

    Attributes
    ----------
    shared_coef_, own_coef_ : ndarray of shape (m, d)
        The parts; ``coef_`` is their sum.
    outlier_tasks_ : ndarray
        Ids of the tasks whose own part is not zero. At a strength that predicts best these can be
        most tasks; those with the largest rows of ``own_coef_`` are odd first.
    outlier_scores_ : ndarray of shape (m,)
        How near each task is to a part of its own, from 0 to 1; 1 has one. The largest below 1
        would be the next.
    alpha_outlier_ : float
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_outlier: float | str = "auto"

    strengths = (
        norm_strength("alpha", "shared"),
        norm_strength("alpha_outlier", "own", auto="alpha"),
        LEVEL,
    )
    tells: ClassVar = {"outlier_tasks_": "Outlier tasks"}

    def _told_sizes(self) -> np.ndarray:
        """Lengths of the tasks' own parts, shape (m,)."""
        return np.asarray(np.linalg.norm(self.own_coef_, axis=1))

    def _shared_penalty(self, alpha: float) -> Penalty:
        """The norm of the shared part."""
        raise NotImplementedError

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        outliers = Transposed(JointFeatures(float(strengths["alpha_outlier"])))
        return {"shared": self._shared_penalty(float(strengths["alpha"])), "own": outliers}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        slopes = data.at(self.response_, solution.coefs).gradient[:, : data.n_features]
        self.outlier_tasks_ = self.tasks_[(self.own_coef_ != 0).any(axis=1)]
        self.outlier_scores_ = np.linalg.norm(slopes, axis=1) / self.alpha_outlier_
