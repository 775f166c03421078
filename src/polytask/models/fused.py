"""Fused: along ordered tasks coefficients change at few places."""

from __future__ import annotations

from numbers import Real

from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._fused_base import FusedBase
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Fusion, Nested, Penalty, sparse_group

__all__ = ["FusedTasksClassifier", "FusedTasksRegressor"]


class _FusedTasks(FusedBase):
    """min over W: R(W) + alpha Ω(W) + alpha_difference sum_i ‖w_{i+1} - w_i‖_1.

    R is the mean over tasks of the mean loss over rows; tasks are in the order of their ids, and
    Ω(W) = l1_ratio ‖W‖_1 + (1 - l1_ratio) sum_j ‖w^j‖_2, w^j the tasks' coefficients of feature j.
    As alpha_difference grows all tasks have one w.

    Parameters
    ----------
    l1_ratio : float, default=0.5
        Share of alpha on single coefficients, from 0 to 1; the rest is on features in all tasks.

    References
    ----------
    Zhou, Liu, Narayan and Ye, Modeling disease progression via fused sparse group lasso, KDD 2012.
    Tibshirani et al., Sparsity and smoothness via the fused lasso, JRSS B 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import FusedTasksRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 3)), np.repeat(np.arange(6), 40)
    >>> y = X[:, 0] * np.where(task < 4, 1, 2) + 0.1 * rng.normal(size=240)
    >>> model = FusedTasksRegressor(0.01, alpha_difference=0.03, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).change_points_
    array([4])
    """

    l1_ratio: float = 0.5

    _parameter_constraints = {"l1_ratio": [Interval(Real, 0, 1, closed="both")]}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        own = sparse_group(float(strengths["alpha"]), self.l1_ratio)
        return {"slopes": Nested((Fusion(float(strengths["alpha_difference"])), *own.norms))}


class FusedTasksRegressor(RegressorRole, _FusedTasks):
    """Coefficients that change at few places along ordered tasks, squared loss."""


class FusedTasksClassifier(ClassifierRole, _FusedTasks):
    """Coefficients that change at few places along ordered tasks, logistic loss."""


FORMULATION = Formulation(
    name="fused",
    title="Fused",
    objective="min over W: R(W) + alpha Omega(W) + alpha_difference sum_i ||w_(i+1) - w_i||_1",
    regressor=FusedTasksRegressor,
    classifier=FusedTasksClassifier,
    default=False,
    order=68,
    group="temporal",
)
