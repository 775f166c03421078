"""The task-intercept model: shared slopes, an intercept per task."""

from __future__ import annotations

from dataclasses import field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation
from polytask.tuning import Strength, beyond_paths, common_grid, intercept_grid, with_zero

__all__ = ["TaskInterceptClassifier", "TaskInterceptRegressor"]


def _slopes(_: Any, data: TaskData, loss: Loss) -> np.ndarray:
    grid = common_grid(data, loss, 33, 9)
    return with_zero(grid) if loss.is_quadratic or beyond_paths(data) else grid


class _TaskIntercept(MultiTaskLinear):
    """min over w, b0, Δb_i: R with f_i(x) = w'x + b0 + Δb_i, + alpha ‖w‖² + alpha_intercept ‖Δb‖².

    R is the mean over tasks of the mean loss over rows. It is ridge regression on one-hot task
    ids, at the cost of a pooled fit.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Ridge strength on the shared slopes, zero or positive.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts to their common one; large is `Pooled`. "auto"
        is chosen with alpha if ``alpha="cv"``, otherwise equal to alpha.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Of K > 2 classes (m, K, d), and the intercepts (m, K); they sum to zero over classes.
        The shared slopes, repeated for every task.
    intercept_ : ndarray of shape (m,)
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        The slopes and b0.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    alpha_, alpha_intercept_ : float
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).

    Examples
    --------
    >>> from polytask import TaskInterceptRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> TaskInterceptRegressor(task="task").fit(X, y).intercept_.shape
    (3,)
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_intercept: float | str = "auto"
    fit_intercept: bool = field(default=True, init=False)  # the formulation is about intercepts

    strengths = (
        Strength("alpha", _slopes),
        Strength(
            "alpha_intercept", lambda _, data, loss: intercept_grid(data, loss, 25, 9), auto="alpha"
        ),
    )
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        p = data.n_coefs
        level = np.arange(p) == p - 1
        ridge = np.where(level, 0.0, float(strengths["alpha"]))
        structure = CommonDeviation(np.ones(p, dtype=bool), level)
        deviation = Ridge(np.array([float(strengths["alpha_intercept"])]))
        return Problem(data, loss, structure, {"common": Ridge(ridge), "deviation": deviation})

    def _store(self, solution: Solution, data: TaskData) -> None:
        common = self._slopes_and_level(solution.blocks["common"])
        self.common_coef_, self.common_intercept_ = common


class TaskInterceptRegressor(RegressorRole, _TaskIntercept):
    """Shared slopes and an intercept per task, squared loss."""


class TaskInterceptClassifier(ClassifierRole, _TaskIntercept):
    """Shared slopes and an intercept per task, logistic loss."""

    many_classes = True


FORMULATION = Formulation(
    name="task-intercept",
    title="Task intercepts",
    objective="min over w, b0, Db_i: R(w, b0 + Db_i) + alpha ||w||^2 + alpha_intercept ||Db||^2",
    regressor=TaskInterceptRegressor,
    classifier=TaskInterceptClassifier,
    order=30,
    candidate=lambda data: data.intercept,
)
