"""What models have in common in which coefficients change at few places along ordered tasks."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.tuning import Strength, difference_grid

__all__ = ["FusedBase"]


def _differences(model: Any, data: TaskData, loss: Loss) -> np.ndarray:
    """Strengths from about where all tasks are alike."""
    some = dict.fromkeys(model._given(), 1.0)
    return difference_grid(model._make_problem(data, loss, some))


class FusedBase(SignedNorms):
    """R(W) + a price of W + a price of the differences w_{i+1} - w_i of neighbouring tasks.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0 without differences.
    alpha_difference : float or "auto", default="auto"
        Strength, positive; larger means fewer changes along the tasks. "auto" is chosen with alpha
        if ``alpha="cv"``, otherwise equal to alpha.

    Attributes
    ----------
    alpha_difference_ : float
    support_ : bool ndarray of shape (m, d)
        Which features each task keeps.
    changes_ : bool ndarray of shape (m - 1, d)
        Which coefficients of a task differ from those of the task before it.
    change_points_ : ndarray
        Ids of the tasks at which a coefficient changes.
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_difference: float | str = "auto"

    strengths = (
        norm_strength("alpha", "slopes"),
        Strength("alpha_difference", _differences, auto="alpha"),
        LEVEL,
    )
    tells: ClassVar = {"change_points_": "Tasks at which coefficients change"}

    def _told_sizes(self) -> np.ndarray:
        """By how much coefficients differ from those of the task before, shape (m,)."""
        return np.append(0.0, np.abs(np.diff(self.coef_, axis=0)).sum(axis=1))

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = self.coef_ != 0
        self.changes_ = np.diff(self.coef_, axis=0) != 0
        self.change_points_ = self.tasks_[1:][self.changes_.any(axis=1)]
