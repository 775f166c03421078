"""Calibrated features: joint features of tasks whose noise differs and is not known."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import RegressorRole
from polytask.penalties import JointFeatures, Penalty, TaskNoise
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution, at_null_noise, root_mean_squares

__all__ = ["CalibratedFeaturesRegressor"]

_FLOOR = 1e-3  # of the noise, as a share of that without features


class CalibratedFeaturesRegressor(RegressorRole, SignedNorms):
    """min over W: sum_i c_i sqrt(mean_j (y_j - w_i'x_j)²) + alpha sum_j ‖w^j‖_2.

    The sum is over tasks, c_i = 1/m for ``task_weight="equal"``, the mean over the rows of task i,
    w^j the tasks' coefficients of feature j. Joint features, with the root of each task's mean
    square where `JointFeatures` has half the mean square: each task is measured in its own noise,
    and one alpha suits all noise levels, known or not. It does not change when y is multiplied by a
    number. Where all tasks have noise s this is `JointFeatures` with s times the alpha.

    A task that is fitted to less than a thousandth of what it has without features is measured in
    that thousandth, so that the objective stays smooth; a task that has no noise without features,
    as one of a single row, in a thousandth of what the others have on average.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    loss : {"auto", "squared"}, default="auto"
        Roots are of squares; there are no others.
    tol : float, default=1e-6
        Largest duality gap, as a share of the objective at W = 0. It falls as the distance from the
        optimum does, not as its square as with other losses.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Exactly zero in every task for features that are dropped.
    support_ : bool ndarray of shape (d,)
        Which features are kept.
    noise_ : ndarray of shape (m,)
        Root of each task's mean squared residual, in the units of y.

    References
    ----------
    Gong, Zhou, Fan and Ye, Efficient multi-task feature learning with calibration, KDD 2014. Liu,
    Wang and Zhao, Calibrated multivariate regression with application to neural semantic basis
    discovery, JMLR 2015. Belloni, Chernozhukov and Wang, Square-root lasso, Biometrika 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import CalibratedFeaturesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(150, 6)), np.repeat([0, 1, 2], 50)
    >>> noise = np.array([0.1, 1.0, 10.0])[task]
    >>> y = noise * (X[:, 0] - X[:, 1] + rng.normal(size=150))
    >>> model = CalibratedFeaturesRegressor(0.1, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.support_.tolist(), model.noise_.round(1)
    ([True, True, False, False, False, False], array([ 0.1,  0.9, 10.1]))
    """

    alpha: float | str = field(default="cv", kw_only=False)
    tol: float = 1e-6

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    _parameter_constraints = {"loss": [StrOptions({"auto", "squared"})]}

    @staticmethod
    def takes_loss(response: Loss) -> bool:
        """Squares only."""
        return bool(response.is_quadratic)

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": JointFeatures(float(strengths["alpha"]))}

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        problem = super()._make_problem(data, loss, strengths)
        noise: dict[str, Any] = {"noise": TaskNoise(_FLOOR)}
        return replace(problem, penalties={**problem.penalties, **noise})

    def _levels(self, data: TaskData, loss: Loss) -> np.ndarray:
        return super()._levels(at_null_noise(data), loss)  # whose units are those of a root

    def _path(self, data: TaskData, loss: Loss, part: str, name: str) -> np.ndarray:
        return super()._path(at_null_noise(data), loss, part, name)

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = (self.coef_ != 0).any(axis=0)
        self.noise_ = root_mean_squares(data, data.design.predict(solution.coefs))


FORMULATION = Formulation(
    name="calibrated-features",
    title="Calibrated features",
    objective="min over W: sum_i c_i sqrt(mean_j (y_j - w_i'x_j)^2) + alpha sum_j ||w^j||_2",
    regressor=CalibratedFeaturesRegressor,
    classifier=None,
    default=False,
    order=60,
    group="sparse",
)
