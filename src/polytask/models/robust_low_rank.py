"""Robust: tasks share a small space, but for some outliers."""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.models._outlier_tasks import OutlierTasks
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Penalty, TraceNorm
from polytask.penalties.spectral import numerical_rank
from polytask.solvers import Solution

__all__ = ["RobustLowRankClassifier", "RobustLowRankRegressor"]


class _RobustLowRank(OutlierTasks):
    """min over L, S: R(L + S) + alpha ‖L‖_* + alpha_outlier sum_i ‖s_i‖_2, W = L + S.

    R is the mean over tasks of the mean loss over rows, ‖L‖_* the sum of singular values. Most
    tasks have their coefficients in a small space; an outlier task has a part s_i of its own
    beside. As alpha_outlier grows no task has, and this is `LowRank`.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means a lower rank. "cv" chooses it by 5 folds inside tasks, down
        from the computed strength from which L alone would be zero.

    Attributes
    ----------
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

    def _shared_penalty(self, alpha: float) -> Penalty:
        return TraceNorm(alpha)

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
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
