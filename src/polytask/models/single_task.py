"""Single-task learning: every task alone."""

from __future__ import annotations

from dataclasses import field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import MomentData, TaskData, task_shares
from polytask.data.many import summed_up
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation
from polytask.tuning import Strength, common_grid, intercept_grid, precision_shares, with_zero

__all__ = ["SingleTaskClassifier", "SingleTaskRegressor"]

_SOME = 3  # steps of a path that are enough to see how noisy a task is


def _slopes(_: Any, data: TaskData, loss: Loss) -> np.ndarray:
    grid = common_grid(data, loss, 33, 11) / data.n_tasks
    return with_zero(grid) if loss.is_quadratic else grid


def _levels(_: Any, data: TaskData, loss: Loss) -> np.ndarray:
    """Free, where every task's own level is finite."""
    return (
        intercept_grid(data, loss, 8) if data.intercept and loss.reaches_boundary else np.zeros(1)
    )


class _SingleTask(MultiTaskLinear):
    """min over each w_i alone: R(W) + alpha sum_i ‖w_i‖² + alpha_intercept sum_i b_i².

    R(W) is the mean over tasks of the mean loss over rows, so task i on its own solves
    ``1/n_i sum_j loss + m alpha ‖w_i‖²``.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Ridge strength, zero or positive; larger shrinks coefficients to zero. "cv" chooses one
        for all tasks at their weights, by leave-one-out: exact for the squared loss, one Newton
        step for others, and folds inside tasks where labels are few.
    alpha_intercept : float or "auto", default="auto"
        Ridge strength on the intercepts. "auto" is 0 for a regressor; for a classifier with
        ``alpha="cv"`` it is chosen too, because a task with one class has no finite intercept.
    task_weight : {"auto", "equal", "size"}, default="auto"
        How tasks weigh in R, and so what one alpha is to each of them: alpha over ``m share_i`` in
        the formula above. "auto" is "equal" with a number as alpha. With "cv" a task weighs its
        rows over its noise (its least leave-one-out error, drawn to the other tasks' as far as
        chance makes them differ), as ridge regression with coefficients of a like size wants it;
        where leave-one-out says clearly that tasks want other strengths than that, as coefficients
        that differ in size do, the more the weaker its own is, drawn to the others' likewise.
        "size" where that is not known: another loss, sparse rows, groups, time, sums over rows.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Of K > 2 classes (m, K, d), and the intercepts (m, K); they sum to zero over classes.
    intercept_ : ndarray of shape (m,)
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        Mean over tasks.
    alpha_, alpha_intercept_ : float
    task_share_ : ndarray of shape (m,)
        Weight of each task in R, where its noise counts.
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).

    Examples
    --------
    >>> from polytask import SingleTaskRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> SingleTaskRegressor(task="task").fit(X, y).coef_.shape
    (3, 4)
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_intercept: float | str = "auto"
    task_weight: str = "auto"

    strengths = (Strength("alpha", _slopes), Strength("alpha_intercept", _levels))
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _fit_data(self, source: Any) -> Any:
        if self._weighs_by_noise(source):
            path = _slopes(self, source, self._loss())[::_SOME]
            problems = [
                self._make_problem(source, self._loss(), {"alpha": a, "alpha_intercept": 0.0})
                for a in path
            ]
            self.task_share_ = precision_shares(problems, path, source)
            source = source.reshared(self.task_share_)
        return super()._fit_data(source)

    def _answer_new_tasks(self, source: Any) -> None:
        if hasattr(self, "task_share_"):  # of the tasks' own errors, not of those on a new one
            source = source.reshared(task_shares(source.counts, "size"))
        super()._answer_new_tasks(source)

    def _weighs_by_noise(self, source: Any) -> bool:
        """Whether a path of strengths says how noisy each task is."""
        if not isinstance(source, TaskData) or isinstance(source, MomentData):
            return False
        return (
            self.task_weight == "auto"
            and self._must_choose()
            and self._loss().is_quadratic
            and source.n_tasks > 1
            and source.n_features > 0
            and not source.design.sparse
            and not summed_up(len(source.y), source.n_features, source.n_tasks)
            and source.group is None
            and source.time is None
        )

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        p = data.n_coefs
        ridge = np.full(p, float(strengths["alpha"]))
        ridge[data.n_features :] = strengths["alpha_intercept"]
        structure = CommonDeviation(np.zeros(p, dtype=bool), np.ones(p, dtype=bool))
        penalties = {"common": Ridge(np.zeros(0)), "deviation": Ridge(ridge)}
        return Problem(data, loss, structure, penalties)

    def _store(self, solution: Solution, data: TaskData) -> None:
        self.common_coef_ = self.coef_.mean(axis=0)
        self.common_intercept_ = self.intercept_.mean(axis=0)


class SingleTaskRegressor(RegressorRole, _SingleTask):
    """Every task alone, squared loss: ridge regression per task."""


class SingleTaskClassifier(ClassifierRole, _SingleTask):
    """Every task alone, logistic loss: ridge logistic regression per task."""

    many_classes = True


FORMULATION = Formulation(
    name="single-task",
    title="Single-task",
    objective="min over each w_i alone: R(W) + alpha sum ||w_i||^2",
    regressor=SingleTaskRegressor,
    classifier=SingleTaskClassifier,
    order=10,
    joint=False,
    candidate=True,
)
