"""The lasso: every task keeps or drops a feature by itself."""

from __future__ import annotations

from dataclasses import field

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Lasso, Penalty
from polytask.solvers import Solution

__all__ = ["LassoTasksClassifier", "LassoTasksRegressor"]


class _LassoTasks(SignedNorms):
    """min over W: R(W) + alpha ‖W‖_1, the sum of absolute values.

    R is the mean over tasks of the mean loss over rows. Tasks share the strength and nothing else,
    beside intercepts that may be pulled together: ``b_i = b0 + Δb_i`` with
    ``alpha_intercept ‖Δb‖²``, b0 free. With one task the model is scikit-learn's Lasso; with m
    tasks its alpha in each is m times ours.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Exactly zero where a task drops a feature.
    support_ : bool ndarray of shape (m, d)
        Which features each task keeps.

    References
    ----------
    Tibshirani, Regression shrinkage and selection via the lasso, JRSS B 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import LassoTasksRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(80, 3)), np.repeat([0, 1], 40)
    >>> y = np.where(task == 0, X[:, 0], X[:, 2]) + 0.1 * rng.normal(size=80)
    >>> model = LassoTasksRegressor(0.1, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.support_.tolist()
    [[True, False, False], [False, False, True]]
    """

    alpha: float | str = field(default="cv", kw_only=False)

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": Lasso(float(strengths["alpha"]))}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = self.coef_ != 0


class LassoTasksRegressor(RegressorRole, _LassoTasks):
    """Features that each task keeps or drops by itself, squared loss."""


class LassoTasksClassifier(ClassifierRole, _LassoTasks):
    """Features that each task keeps or drops by itself, logistic loss."""


FORMULATION = Formulation(
    name="lasso",
    title="Lasso",
    objective="min over W: R(W) + alpha ||W||_1",
    regressor=LassoTasksRegressor,
    classifier=LassoTasksClassifier,
    default=False,
    order=59,
    joint=False,
    group="sparse",
)
