"""Robust features: tasks share features, but for some outliers."""

from __future__ import annotations

from polytask.data import TaskData
from polytask.models._outlier_tasks import OutlierTasks
from polytask.models._signed_norms import SignedNorms
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import JointFeatures, Penalty
from polytask.solvers import Solution

__all__ = ["RobustFeaturesClassifier", "RobustFeaturesRegressor"]


class _RobustFeatures(OutlierTasks, SignedNorms):
    """min over P, Q: R(P + Q) + alpha sum_j ‖p^j‖_2 + alpha_outlier sum_i ‖q_i‖_2, W = P + Q.

    R is the mean over tasks of the mean loss over rows, p^j the tasks' coefficients of feature j,
    q_i the own part of task i. Most tasks need the same few features; an outlier task may use any.
    As alpha_outlier grows no task may, and this is `JointFeatures`.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer shared features. "cv" chooses it by 5 folds inside
        tasks, down from the computed strength from which P alone would be zero.

    Attributes
    ----------
    shared_support_ : bool ndarray of shape (d,)
        Features of the shared part.

    References
    ----------
    Gong, Ye and Zhang, Robust multi-task feature learning, KDD 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import RobustFeaturesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 5)), np.repeat(np.arange(6), 40)
    >>> W = np.zeros((6, 5))
    >>> W[:, 0], W[4] = 1.0, 2.0
    >>> y = (X * W[task]).sum(axis=1) + 0.1 * rng.normal(size=240)
    >>> model = RobustFeaturesRegressor(0.1, alpha_outlier=0.1, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).outlier_tasks_
    array([4])
    """

    def _shared_penalty(self, alpha: float) -> Penalty:
        return JointFeatures(alpha)

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.shared_support_ = (self.shared_coef_ != 0).any(axis=0)


class RobustFeaturesRegressor(RegressorRole, _RobustFeatures):
    """Shared features with outlier tasks, squared loss."""


class RobustFeaturesClassifier(ClassifierRole, _RobustFeatures):
    """Shared features with outlier tasks, logistic loss."""


FORMULATION = Formulation(
    name="robust-features",
    title="Robust features",
    objective="min over P, Q: R(P + Q) + alpha sum_j ||p^j||_2 + alpha_outlier sum_i ||q_i||_2",
    regressor=RobustFeaturesRegressor,
    classifier=RobustFeaturesClassifier,
    default=False,
    order=65,
    group="robust",
)
