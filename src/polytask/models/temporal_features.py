"""Temporal: along ordered tasks coefficients change smoothly."""

from __future__ import annotations

from dataclasses import field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Coupled, JointFeatures, NormPlus, Penalty
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.tuning import Strength, deviation_grid

__all__ = ["TemporalFeaturesClassifier", "TemporalFeaturesRegressor"]


_STRONG = 30.0  # what pools at once, over what pools a chain enough


def _differences(_: Any, data: TaskData, loss: Loss) -> np.ndarray:
    return deviation_grid(data, loss, 6, 5, 4.0) / _STRONG


class _TemporalFeatures(SignedNorms):
    """min over W: R(W) + alpha sum_j ‖w^j‖_2 + alpha_difference sum_i ‖w_{i+1} - w_i‖².

    R is the mean over tasks of the mean loss over rows, w^j the tasks' coefficients of feature j;
    tasks are in the order of their ids. With ``alpha_ridge`` there is alpha_ridge ‖W‖_F² beside.
    All tasks keep or drop a feature together. As alpha_difference grows all tasks have one w;
    without it and without the ridge this is `JointFeatures`.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    alpha_difference : float or "auto", default="auto"
        Strength, positive; larger means more alike neighbours. "auto" is chosen with alpha if
        ``alpha="cv"``, otherwise equal to alpha.
    alpha_ridge : float, default=0.0
        Ridge on the slopes of every task.

    Attributes
    ----------
    alpha_difference_ : float
    support_ : bool ndarray of shape (d,)
        Which features are kept.

    References
    ----------
    Zhou, Yuan, Liu and Ye, A multi-task learning formulation for predicting disease progression,
    KDD 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import TemporalFeaturesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 3)), np.repeat(np.arange(6), 40)
    >>> y = X[:, 0] * np.sin(task / 2) + 0.1 * rng.normal(size=240)
    >>> model = TemporalFeaturesRegressor(0.02, alpha_difference=0.01, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).support_
    array([ True, False, False])
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_difference: float | str = "auto"
    alpha_ridge: float = 0.0

    strengths = (
        norm_strength("alpha", "slopes"),
        Strength("alpha_difference", _differences, "alpha"),
        LEVEL,
    )

    _parameter_constraints = {"alpha_ridge": [Interval(Real, 0, None, closed="left")]}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        steps = np.diff(np.eye(data.n_tasks), axis=0)
        pulls = np.full(data.n_features, float(strengths["alpha_difference"]))
        smooth = Coupled(steps.T @ steps, pulls, self.alpha_ridge)
        return {"slopes": NormPlus(JointFeatures(float(strengths["alpha"])), smooth)}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = (self.coef_ != 0).any(axis=0)


class TemporalFeaturesRegressor(RegressorRole, _TemporalFeatures):
    """Features that change smoothly along ordered tasks, squared loss."""


class TemporalFeaturesClassifier(ClassifierRole, _TemporalFeatures):
    """Features that change smoothly along ordered tasks, logistic loss."""


FORMULATION = Formulation(
    name="temporal-features",
    title="Temporal features",
    objective="min over W: R(W) + alpha sum_j ||w^j|| + alpha_difference sum_i ||w_(i+1) - w_i||^2",
    regressor=TemporalFeaturesRegressor,
    classifier=TemporalFeaturesClassifier,
    default=False,
    order=67,
    group="temporal",
)
