"""Robust: tasks share a small space, but for some outliers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, NormBase, leading, norm_strength
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import JointFeatures, Penalty, TraceNorm, Transposed
from polytask.penalties.spectral import numerical_rank
from polytask.solvers import Solution

__all__ = ["RobustLowRankClassifier", "RobustLowRankRegressor"]


class _RobustLowRank(NormBase):
    """min over L, S: R(L + S) + alpha ‖L‖_* + alpha_outlier sum_i ‖s_i‖_2, W = L + S.

    R is the mean over tasks of the mean loss over rows, ‖L‖_* the sum of singular values. Most
    tasks have their coefficients in a small space; an outlier task has a part s_i of its own
    beside. As alpha_outlier grows no task has, and this is `LowRank`.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means a lower rank. "cv" chooses it by 5 folds inside tasks, down
        from the computed strength from which L alone would be zero.
    alpha_outlier : float or "auto", default="auto"
        Strength, positive; larger means fewer outlier tasks. "auto" is chosen with alpha if
        ``alpha="cv"``, down from the strength from which S alone would be zero, otherwise equal to
        alpha.

    Attributes
    ----------
    shared_coef_, own_coef_ : ndarray of shape (m, d)
        The parts; ``coef_`` is their sum.
    outlier_tasks_ : ndarray
        Ids of the tasks whose own part is not zero.
    outlier_scores_ : ndarray of shape (m,)
        How near each task is to a part of its own, from 0 to 1; 1 has one. The largest below 1
        would be the next.
    alpha_outlier_ : float
    rank_ : int
        Rank of ``shared_coef_``.

    References
    ----------
    Chen, Zhou and Ye, Integrating low-rank and group-sparse structures for robust multi-task
    learning, KDD 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import RobustLowRankRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 5)), np.repeat(np.arange(10), 40)
    >>> W = np.outer(1 + np.arange(10) % 3, rng.normal(size=5))
    >>> W[7] = 3 * rng.normal(size=5)
    >>> y = (X * W[task]).sum(axis=1) + 0.1 * rng.normal(size=400)
    >>> model = RobustLowRankRegressor(0.05, alpha_outlier=0.03, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).outlier_tasks_
    array([7])
    """

    alpha: float | str = leading("cv")
    alpha_outlier: float | str = "auto"

    strengths = (
        norm_strength("alpha", "shared"),
        norm_strength("alpha_outlier", "own", auto="alpha"),
        LEVEL,
    )

    tells: ClassVar = {"outlier_tasks_": "Outlier tasks"}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        outliers = Transposed(JointFeatures(float(strengths["alpha_outlier"])))
        return {"shared": TraceNorm(float(strengths["alpha"])), "own": outliers}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self._store_outliers(solution, data, self.alpha_outlier_)
        self.rank_ = numerical_rank(np.linalg.svd(self.shared_coef_, compute_uv=False))


class RobustLowRankRegressor(RegressorRole, _RobustLowRank):
    """A small space of coefficients with outlier tasks, squared loss."""


class RobustLowRankClassifier(ClassifierRole, _RobustLowRank):
    """A small space of coefficients with outlier tasks, logistic loss."""


FORMULATION = Formulation(
    name="robust-low-rank",
    title="Robust low-rank",
    objective="min over L, S: R(L + S) + alpha ||L||_* + alpha_outlier sum_i ||s_i||_2",
    regressor=RobustLowRankRegressor,
    classifier=RobustLowRankClassifier,
    default=False,
    order=64,
    group="robust",
)
