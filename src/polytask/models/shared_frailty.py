"""Cox models with a frailty that the rows of a task share."""

from __future__ import annotations

import warnings
from dataclasses import field, replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import Design, TaskData, callers_level
from polytask.mixed.frailty import frailty_variance
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.models.steps import step
from polytask.models.survival import SurvivalModel
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation
from polytask.tuning import Strength, common_grid

__all__ = ["TaskInterceptSurvival"]

_MOST = 50_000_000  # numbers in rows with a column for each task


def _slopes(model: Any, data: TaskData, loss: Loss) -> np.ndarray:
    return np.append(common_grid(data, loss, 17, 17), 0.0)


def _levels(model: Any, data: TaskData, loss: Loss) -> np.ndarray:
    """Strengths that stand for variances of the frailty from 0.01 to 4."""
    return np.asarray(0.5 / (data.sample_weight.sum() * np.geomspace(0.01, 4.0, 9)))


class TaskInterceptSurvival(SurvivalModel, MultiTaskLinear, own_text=True):
    """min over w, b: R(w, b) + alpha ‖w‖² + alpha_intercept ‖b‖², hazards h_0(t) exp(x'w + b_i).

    R is minus the log partial likelihood of all rows together, divided by their number: one
    baseline hazard h_0 for all tasks, whose hazards are proportional. The shared frailty model with
    b_i ~ N(0, theta), for which alpha_intercept = 1 / (2 n theta).

    Parameters
    ----------
    alpha : float, "cv" or "reml", default="cv"
        Ridge strength on w. "cv" chooses by the cross-validated partial likelihood (Verweij and van
        Houwelingen) on 5 folds. "reml" leaves w free and estimates the variance of the frailty by
        restricted maximum likelihood (McGilchrist), as ``frailty(id, dist = "gauss")`` of R's
        survival does.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' levels to zero; large is one Cox model without tasks. "auto"
        is chosen with alpha if ``alpha="cv"``, otherwise equal to alpha; of no effect with "reml".
    ties : {"efron", "breslow"}, default="efron"
        How events at the same time are counted.
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or take its frailty as zero.
    tol : float, default=1e-8
        Largest scale-free KKT violation at the returned coefficients.
    max_iter : int, default=100
        Newton steps at most.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        w, repeated for every task.
    intercept_ : ndarray of shape (m,)
        The log frailties b.
    common_coef_ : ndarray of shape (d,)
    common_intercept_ : float
        Zero.
    frailty_variance_ : float
        theta (``alpha="reml"``); zero where tasks prove no difference.
    common_covariance_ : ndarray of shape (d, d)
        Covariance of w, theta taken as known (``alpha="reml"``).
    tasks_ : ndarray of shape (m,)
    event_times_, baseline_hazard_ : list of m ndarrays
        The same for every task: times of all events, and the cumulative baseline hazard after each,
        at ``feature_mean_`` and a frailty of zero.
    common_event_times_, common_baseline_hazard_ : ndarray
    feature_mean_ : ndarray of shape (d,)
    alpha_, alpha_intercept_, alpha_path_, cv_scores_
        Strengths and how they were chosen.
    response_, objective_, violation_, certificate_, solver_, status_, n_iter_
        The response, the objective and KKT violation at ``coef_``, and how they were reached.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import TaskInterceptSurvival
    >>> rng = np.random.default_rng(0)
    >>> litter, x = np.repeat(np.arange(20), 6), rng.normal(size=120)
    >>> hazard = np.exp(x + rng.normal(size=20)[litter])
    >>> y = np.column_stack([rng.exponential(1 / hazard), rng.random(120) < 0.8])
    >>> model = TaskInterceptSurvival("reml", task=1).fit(np.column_stack([x, litter]), y)
    >>> 0.2 < model.frailty_variance_ < 3
    True
    """

    strengths = (Strength("alpha", _slopes), Strength("alpha_intercept", _levels, auto="alpha"))
    task_weight: str = field(default="size", init=False)
    alpha_intercept: float | str = field(default="auto", init=True)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [StrOptions({"cv", "reml"}), Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "task": [None, str, Integral],
    }

    def _check_data(self, data: TaskData) -> None:
        self._refuse_none(data.y > 0)
        n, p = len(data.y), data.n_coefs + data.n_tasks
        if n * p > _MOST:
            raise ValueError(
                f"{type(self).__name__}: rows times features and tasks must be at most {_MOST:,}; "
                f"got {n:,} times {p:,}. PooledSurvival, a baseline hazard per task, has no limit."
            )

    def _given(self) -> Strengths:
        if isinstance(self.alpha, str) and self.alpha == "reml":  # estimated, not chosen
            return {"alpha": 0.0, "alpha_intercept": np.nan}
        return super()._given()

    def _fit_data(self, source: Any) -> Any:
        self._n_slopes = source.n_coefs
        joined = _joined(source)
        if isinstance(self.alpha, str) and self.alpha == "reml":
            self.response_ = self._loss()
            with step(self, "estimate the variance"):
                self._estimate(joined)
        else:
            super()._fit_data(joined)
        self._unfold(source)
        return self

    def _estimate(self, data: TaskData) -> None:
        last: list[Any] = [None]

        def mode(variance: float) -> Solution:
            alpha = 0.5 / (data.sample_weight.sum() * variance)
            found = self._solve(data, {"alpha": 0.0, "alpha_intercept": alpha}, last[0])
            last[0] = found.blocks
            return found

        variance, solution, covariance = frailty_variance(data, self.ties, self._n_slopes, mode)
        if not np.isfinite(variance):
            warnings.warn(
                f"{type(self).__name__}: the variance of the frailty grows without end: tasks have "
                "events all early or all late. alpha='cv' bounds it.",
                ConvergenceWarning,
                stacklevel=callers_level(),
            )
        self.frailty_variance_, self.common_covariance_ = variance, covariance
        alpha = np.inf if variance == 0 else 0.5 / (data.sample_weight.sum() * variance)
        self._keep(solution, data, {"alpha": 0.0, "alpha_intercept": alpha})

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        p, d = data.n_coefs, self._n_slopes
        ridge = np.full(p, float(strengths["alpha"]))
        ridge[d:] = float(strengths["alpha_intercept"])
        structure = CommonDeviation(np.ones(p, dtype=bool), np.zeros(p, dtype=bool))
        penalties = {"common": Ridge(ridge), "deviation": Ridge(np.zeros(0))}
        return Problem(data, loss, structure, penalties)

    def _unfold(self, data: TaskData) -> None:
        """From one task with a column for each to the tasks."""
        theta, m, d = self.coef_[0], data.n_tasks, self._n_slopes
        level = np.exp(-float(theta[d:] @ self.feature_mean_[d:]))  # a frailty of zero
        self.tasks_, self.feature_mean_ = data.tasks, self.feature_mean_[:d]
        self.common_coef_, self.common_intercept_ = theta[:d].copy(), 0.0
        self.coef_, self.intercept_ = np.tile(theta[:d], (m, 1)), theta[d:].copy()
        self._center = np.zeros(d)
        self.common_event_times_ = self.event_times_[0]
        self.common_baseline_hazard_ = self.baseline_hazard_[0] * level
        self.event_times_ = [self.common_event_times_] * m
        self.baseline_hazard_ = [self.common_baseline_hazard_] * m


def _joined(data: TaskData) -> TaskData:
    """The rows as one task, with an indicator of each task as a last columns."""
    design = data.design
    rows = design.distinct_rows() if design.index is None else design.distinct_rows()[design.index]
    rows = np.asarray(rows.toarray() if sparse.issparse(rows) else rows, dtype=float)
    own = (data.code[:, None] == np.arange(data.n_tasks)).astype(float)
    return replace(
        data, design=Design(np.hstack([rows, own]), None, np.array([0, len(rows)])),
        share=np.ones(1), tasks=np.array([0]), center=None,
    )  # fmt: skip


SURVIVAL = {"task-intercept": TaskInterceptSurvival}
