"""The low-rank model as learned features: heads on P'x, P with orthonormal columns."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models._low_rank_base import LowRankBase, low_rank_strengths
from polytask.models._projected import LearnedFeatures
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties.spectral import canonical_svd
from polytask.solvers import Solution

__all__ = ["ProjectedLowRankClassifier", "ProjectedLowRankRegressor"]


class _ProjectedLowRank(LearnedFeatures, LowRankBase):
    """min over W (k, m) and P (d, k), P'P = I: R on P'x + alpha ‖W‖_*, or + alpha rank(W).

    R is the mean over tasks of the mean loss over rows; intercepts as in `LowRankRegressor`. As
    P W has the singular values of W, the optimum is that of the low-rank model with the rank
    limited to k. P buys the features P'x, a memory of (d + m) k numbers, and heads of new tasks
    from a handful of rows.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength; larger means a lower rank. "cv" as in `LowRankRegressor`.
    n_components : None, int or "cv", default=None
        k, a limit on the rank. None is min(m, d), which limits nothing.
    penalty : {"nuclear", "rank"}, default="nuclear"
        The sum of singular values (convex where k does not bind), or the rank itself.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together. "auto" is chosen with alpha if
        ``alpha="cv"``, otherwise 0.
    tol : float, default=1e-7
        Largest duality gap, as a share of the objective at W = 0; where k binds, and for the rank,
        the largest KKT violation.
    max_iter : int, default=2000
        Iterations at most.

    Attributes
    ----------
    components_ : ndarray of shape (k, d)
        P', orthonormal rows: the directions of the coefficients, the strongest first, the largest
        entry of each positive; beyond the rank, directions that carry nothing.
    task_coef_ : ndarray of shape (m, k)
        Heads: ``coef_ = task_coef_ @ components_``.
    coef_, intercept_ : ndarray of shape (m, d), (m,)
    rank_, singular_values_
        Rank and singular values of ``coef_``.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    alpha_, alpha_intercept_, n_components_
    alpha_path_, cv_scores_, gap_
    objective_, violation_, certificate_, solver_, status_, n_iter_
        As in `LowRankRegressor`.

    References
    ----------
    Ando and Zhang, A framework for learning predictive structures, JMLR 2005.
    Argyriou, Evgeniou and Pontil, Convex multi-task feature learning, Machine Learning 2008.

    Examples
    --------
    >>> from polytask import ProjectedLowRankRegressor
    >>> from polytask.datasets import make_low_rank_tasks
    >>> X, y, truth = make_low_rank_tasks(10, 6, 30, rank=2, noise=0.1, random_state=0)
    >>> model = ProjectedLowRankRegressor(alpha=0.01, n_components=2, task="task").fit(X, y)
    >>> model.transform(X).shape
    (300, 2)
    >>> new = X[["x0", "x1", "x2", "x3", "x4", "x5"]].to_numpy()[:5]
    >>> model.fit_task(new, y[:5]).coef.shape
    (6,)
    """

    alpha: float | str = field(default="cv", kw_only=False)
    n_components: int | str | None = None
    penalty: str = "nuclear"
    alpha_intercept: float | str = "auto"
    tol: float = 1e-7
    max_iter: int = 2000

    strengths = low_rank_strengths("n_components")
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "penalty": [StrOptions({"nuclear", "rank"})],
        "n_components": [None, StrOptions({"cv"}), Interval(Integral, 1, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _store(self, solution: Solution, data: TaskData) -> None:
        wanted = getattr(self, "n_components_")  # noqa: B009 (set by the base from strengths)
        super()._store(solution, data)
        if self.n_components not in (None, "cv"):
            self.n_components_ = int(min(wanted, data.n_features))
        U, s, Vt = canonical_svd(solution.blocks["low_rank"], self.n_components_, self._share)
        self.task_coef_, self.components_ = U * s, Vt
        self.coef_ = self.task_coef_ @ Vt
        f = data.design.predict(solution.coefs)
        self._risk = float(data.weight @ self._learned().value(data.y, f))
        self._level = float(solution.blocks["common"].sum())
        self._pull = float(self.alpha_intercept_)

    def _head_prior(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The trace norm's ridge at its learned shape, alpha w'(W'W)^-½ w / 2; for the rank, the
        heads' own second moment as the variance of a Gaussian prior.
        """
        s = np.linalg.norm(self.task_coef_, axis=0)
        with np.errstate(divide="ignore"):
            if self.penalty == "nuclear" and self.alpha_ > 0:
                return np.zeros(len(s)), 0.5 * self.alpha_ / s
            noise = 1.0 if self._learned().is_likelihood else 2.0 * self._risk
            return np.zeros(len(s)), 0.5 * noise / (n * s**2)


class ProjectedLowRankRegressor(RegressorRole, _ProjectedLowRank):
    """Features P'x that all tasks share, low-rank heads, squared loss."""


class ProjectedLowRankClassifier(ClassifierRole, _ProjectedLowRank):
    """Features P'x that all tasks share, low-rank heads, logistic loss."""


FORMULATION = Formulation(
    name="projected-low-rank",
    title="Projected low-rank",
    objective="min over W, P with P'P = I: R on P'x + alpha ||W||_* (or alpha rank(W))",
    regressor=ProjectedLowRankRegressor,
    classifier=ProjectedLowRankClassifier,
    default=False,
    order=60,
)
