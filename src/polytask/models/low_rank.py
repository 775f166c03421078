"""The low-rank model: all tasks' coefficients in one small space that nobody has to name."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models._low_rank_base import LowRankBase, low_rank_strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.solvers import Solution

__all__ = ["LowRankClassifier", "LowRankRegressor"]

_SMALL = 5000  # coefficients of all tasks up to which a path of fits takes seconds


class _LowRank(LowRankBase):
    """min over W: R(W) + alpha ‖W‖_*, or + alpha rank(W); with ``common``: W = w0 1' + L.

    R is the mean over tasks of the mean loss over rows. Intercepts are not in W: every task has
    its own, ``b_i = b0 + Δb_i`` with ``alpha_intercept ‖Δb‖²`` and b0 free.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength; larger means a lower rank. "cv" chooses it by 5 folds inside tasks, from a path
        that starts at the computed strength from which W = 0 (``penalty="rank"``: from the
        strengths at which the rank changes).
    penalty : {"nuclear", "rank"}, default="nuclear"
        The sum of singular values: convex, solved to a duality gap. Or the rank itself: not
        convex, solved from several starts (certificate "stationary"), except with the same rows
        in all tasks, squared loss and free intercepts, where the optimum is known ("global").
        With logistic loss a small ridge (a hundredth of the mean curvature) is added to the
        rank, or separable tasks would have no optimum.
    max_rank : None, int or "cv", default=None
        Hard limit on the rank, with either penalty; ``alpha=0`` leaves the limit alone.
    common : bool, default=False
        Whether a common w0 is split off, free, and only the differences L are low-rank. Tasks
        that share a mean are not low-rank around zero.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together. "auto" is chosen with alpha if
        ``alpha="cv"``, otherwise 0.
    tol : float, default=1e-7
        Largest duality gap, as a share of the objective at W = 0; without convexity the largest
        KKT violation, see ``violation_``.
    max_iter : int, default=2000
        Iterations at most.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
    intercept_ : ndarray of shape (m,)
    rank_ : int
        Rank of ``coef_`` (of L with ``common=True``).
    singular_values_ : ndarray of shape (rank,)
    components_ : ndarray of shape (rank, d)
        Orthonormal directions of the coefficients, the strongest first, the largest entry of each
        positive.
    common_coef_, common_intercept_, deviation_coef_
        w0, b0 and L, with ``common=True``.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    alpha_, alpha_intercept_, max_rank_
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).
    gap_ : float or None
        Duality gap at ``coef_`` as a share of the objective at W = 0.
    objective_, violation_, certificate_, solver_, status_, n_iter_
        The objective and KKT violation at ``coef_``, and how they were reached. The violation is
        the largest share that is left of what each gradient can be; across the matrices of W's
        rank it counts only where a limit on the rank does not bind.

    References
    ----------
    Argyriou, Evgeniou and Pontil, Convex multi-task feature learning, Machine Learning 2008.

    Examples
    --------
    >>> from polytask import LowRankRegressor
    >>> from polytask.datasets import make_low_rank_tasks
    >>> X, y, truth = make_low_rank_tasks(10, 6, 30, rank=2, noise=0.1, random_state=0)
    >>> model = LowRankRegressor(alpha=0.01, task="task").fit(X, y)
    >>> model.rank_, model.components_.shape
    (2, (2, 6))
    """

    alpha: float | str = field(default="cv", kw_only=False)
    penalty: str = "nuclear"
    max_rank: int | str | None = None
    common: bool = False
    alpha_intercept: float | str = "auto"
    tol: float = 1e-7
    max_iter: int = 2000

    strengths = low_rank_strengths("max_rank")
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions({"nuclear", "rank"})],
        "max_rank": [None, StrOptions({"cv"}), Interval(Integral, 1, None, closed="left")],
        "common": ["boolean"],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _split(self) -> bool:
        return self.common

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        if self.common:
            d = data.n_features
            self.common_coef_ = solution.blocks["common"][:d]
            level = float(solution.blocks["common"][d:].sum())
            self.common_intercept_ = level - float(self.common_coef_ @ self._center)
            self.deviation_coef_ = solution.blocks["low_rank"]

    def _shared(self) -> Any:
        return (self.common_coef_, self.common_intercept_) if self.common else super()._shared()


class LowRankRegressor(RegressorRole, _LowRank):
    """Coefficients of all tasks in a small common space, squared loss."""


class LowRankClassifier(ClassifierRole, _LowRank):
    """Coefficients of all tasks in a small common space, logistic loss."""


FORMULATION = Formulation(
    name="low-rank",
    title="Low-rank",
    objective="min over W: R(W) + alpha ||W||_* (or alpha rank(W))",
    regressor=LowRankRegressor,
    classifier=LowRankClassifier,
    order=50,
    costly=True,
    candidate=lambda data: 1 < data.n_features <= _SMALL / data.n_tasks,
)
