"""Pooling: one model for all tasks."""

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
from polytask.tuning import Strength, beyond_paths, common_grid, with_zero

__all__ = ["PooledClassifier", "PooledRegressor"]


def _grid(_: Any, data: TaskData, loss: Loss) -> np.ndarray:
    grid = common_grid(data, loss, 33, 11)
    return with_zero(grid) if loss.is_quadratic or beyond_paths(data) else grid


class _Pooled(MultiTaskLinear):
    """min over one w for all tasks: R(w, ..., w) + alpha ‖w‖².

    R is the mean over tasks of the mean loss over rows; the intercept is not penalized. With
    ``task_weight="size"`` this is plain ridge regression on all rows.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Ridge strength, zero or positive; larger shrinks the coefficients to zero. "cv" chooses it
        by leave-one-out: exact for the squared loss, one Newton step
        for others, and folds inside tasks where labels are few.
    fit_intercept : bool, default=True
        Whether the model has an intercept.
    unseen : {"error", "common"}, default="common"
        What to do with an unseen task in `predict`: refuse, or predict it like any other, because
        the one model is for all tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Of K > 2 classes (m, K, d), and the intercepts (m, K); they sum to zero over classes.
        The same row for every task.
    intercept_ : ndarray of shape (m,)
    common_coef_, common_intercept_ : ndarray of shape (d,), float
    alpha_ : float
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).

    Examples
    --------
    >>> from polytask import PooledRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> PooledRegressor(task="task").fit(X, y).common_coef_.shape
    (4,)
    """

    _is_one = True
    alpha: float | str = field(default="cv", kw_only=False)
    unseen: str = "common"

    strengths = (Strength("alpha", _grid),)
    _parameter_constraints = {"alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")]}

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        p = data.n_coefs
        ridge = np.full(p, float(strengths["alpha"]))
        ridge[data.n_features :] = 0.0
        structure = CommonDeviation(np.ones(p, dtype=bool), np.zeros(p, dtype=bool))
        penalties = {"common": Ridge(ridge), "deviation": Ridge(np.zeros(0))}
        return Problem(data, loss, structure, penalties)

    def _store(self, solution: Solution, data: TaskData) -> None:
        self.common_coef_, self.common_intercept_ = self.coef_[0].copy(), self.intercept_[0]


class PooledRegressor(RegressorRole, _Pooled):
    """One model for all tasks, squared loss."""


class PooledClassifier(ClassifierRole, _Pooled):
    """One model for all tasks, logistic loss."""

    many_classes = True


FORMULATION = Formulation(
    name="pooled",
    title="Pooled",
    objective="min over one w for all tasks: R(w) + alpha ||w||^2",
    regressor=PooledRegressor,
    classifier=PooledClassifier,
    order=20,
    candidate=True,
)
