"""Task covariance: how tasks are related, for and against, is learned."""

from __future__ import annotations

from dataclasses import field

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, NormBase
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Penalty, SpectralBox
from polytask.penalties.spectral import canonical_svd
from polytask.solvers import Solution
from polytask.tuning import Strength, common_grid

__all__ = ["TaskCovarianceClassifier", "TaskCovarianceRegressor"]


class _TaskCovariance(NormBase):
    """min over W, Ω: R(W) + alpha tr(W' Ω^-1 W), Ω ⪰ 0, tr Ω = 1.

    R is the mean over tasks of the mean loss over rows, W has a row per task, Ω of shape (m, m)
    says how tasks are related. The best Ω is (W W')^½ over its trace, so that the penalty on W is
    alpha ‖W‖_*², the square of the sum of singular values, and the problem is convex.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means smaller coefficients along fewer directions. "cv" chooses
        it by 5 folds inside tasks.

    Attributes
    ----------
    task_covariance_ : ndarray of shape (m, m)
        Ω; its trace is one, zero where all coefficients are.
    task_correlation_ : ndarray of shape (m, m)
        The same on the scale from -1 to 1; NaN for tasks without coefficients.

    References
    ----------
    Zhang and Yeung, A convex formulation for learning task relationships in multi-task learning,
    UAI 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import TaskCovarianceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(120, 3)), np.repeat(np.arange(3), 40)
    >>> y = (X[:, 0] - X[:, 1]) * np.array([1, 1, -1])[task] + 0.1 * rng.normal(size=120)
    >>> model = TaskCovarianceRegressor(0.001, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.task_correlation_.round()
    array([[ 1.,  1., -1.],
           [ 1.,  1., -1.],
           [-1., -1.,  1.]])
    """

    alpha: float | str = field(default="cv", kw_only=False)

    strengths = (
        Strength("alpha", lambda _, data, loss: common_grid(data, loss, 10, 8, 6.0)),
        LEVEL,
    )

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": SpectralBox(float(strengths["alpha"]), 0.0, 1)}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        U, s, _ = canonical_svd(self.coef_)
        self.task_covariance_ = (U * s / max(float(s.sum()), 1e-300)) @ U.T
        size = np.sqrt(self.task_covariance_.diagonal())
        scale = np.outer(size, size)
        none = np.full_like(scale, np.nan)
        self.task_correlation_ = np.divide(self.task_covariance_, scale, out=none, where=scale > 0)


class TaskCovarianceRegressor(RegressorRole, _TaskCovariance):
    """Tasks whose relations are learned, squared loss."""


class TaskCovarianceClassifier(ClassifierRole, _TaskCovariance):
    """Tasks whose relations are learned, logistic loss."""


FORMULATION = Formulation(
    name="task-covariance",
    title="Task covariance",
    objective="min over W, Omega: R(W) + alpha tr(W' Omega^-1 W), Omega >= 0, tr Omega = 1",
    regressor=TaskCovarianceRegressor,
    classifier=TaskCovarianceClassifier,
    default=False,
    order=72,
    group="clustered",
)
