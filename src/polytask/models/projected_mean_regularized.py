"""Mean-regularized heads on learned features: P, w0 and ΔW together."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models._projected import LearnedFeatures
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Orthonormal, Penalty, Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation, Projected
from polytask.tuning import (
    TUNING_TOL,
    KFoldRisk,
    Strength,
    choose,
    common_grid,
    deviation_grid,
    intercept_grid,
    one_by_one,
    rank_grid,
    with_zero,
)

__all__ = ["ProjectedMeanRegularizedClassifier", "ProjectedMeanRegularizedRegressor"]

_FOLDS = 5
_TINY, _HUGE = 1e-30, 1e12  # strengths next to the curvature: smaller is none, larger infinite
_LEAST_RIDGE = 1e-3  # of the mean curvature
_SHARES = (1.0, 0.1, 0.01)  # of the strength that is best without a projection


class _ProjectedMeanRegularized(LearnedFeatures):
    """min over w0, ΔW, P with P'P = I: R on P'x with w0 + Δw_i, + alpha ‖ΔW‖_F².

    P has shape (d, k), w0 and Δw_i length k; R is the mean over tasks of the mean loss over rows.
    ``alpha_common ‖w0‖²`` and the intercepts' ``b_i = b0 + Δb_i`` with ``alpha_intercept ‖Δb‖²``
    as in `MeanRegularizedRegressor`, which this model is at k = min(m, d). With alpha large it is
    `PooledRegressor`, whatever k.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength that pulls the heads to their common part. "cv" starts from the best strength
        without a projection and compares weaker ones by 5 folds at the chosen k.
    n_components : None, int or "cv", default="cv"
        k. None is min(m, d), which limits nothing; "cv" compares several by 5 folds inside tasks.
    alpha_common : float or "auto", default="auto"
        Ridge strength on w0. "auto" is chosen without a projection if ``alpha="cv"``; otherwise it
        is 0, and in a classifier a thousandth of the features' mean curvature, since separable
        classes have no optimum without.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together. "auto" is chosen without a projection
        if ``alpha="cv"``, otherwise alpha.
    tol : float, default=1e-8
        Largest KKT violation: the share that is left of what each gradient can be.
    max_iter : int, default=500
        Steps at most.

    Attributes
    ----------
    components_ : ndarray of shape (k, d)
        P', orthonormal rows: the directions of the coefficients, the strongest first, the largest
        entry of each positive.
    task_coef_ : ndarray of shape (m, k)
        Heads w0 + Δw_i: ``coef_ = task_coef_ @ components_``.
    common_task_coef_, deviation_task_coef_ : ndarray of shape (k,), (m, k)
        w0 and Δw_i in the space of P.
    coef_, intercept_ : ndarray of shape (m, d), (m,)
    common_coef_, common_intercept_, deviation_coef_
        P w0, b0 and P Δw_i, in the space of the features.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    alpha_, alpha_common_, alpha_intercept_, n_components_
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were compared at the end, and minus the estimated risk of each.
    objective_, violation_, certificate_, solver_, status_, n_iter_
        Certificate "global" at k = min(m, d), otherwise "stationary": the best of several starts.

    References
    ----------
    Evgeniou and Pontil, Regularized multi-task learning, KDD 2004.
    Ando and Zhang, A framework for learning predictive structures, JMLR 2005.

    Examples
    --------
    >>> from polytask import ProjectedMeanRegularizedRegressor
    >>> from polytask.datasets import make_low_rank_tasks
    >>> X, y, truth = make_low_rank_tasks(10, 6, 30, rank=2, noise=0.1, random_state=0)
    >>> model = ProjectedMeanRegularizedRegressor(alpha=0.01, n_components=2, task="task")
    >>> model.fit(X, y).transform(X).shape
    (300, 2)
    """

    alpha: float | str = field(default="cv", kw_only=False)
    n_components: int | str | None = "cv"
    alpha_common: float | str = "auto"
    alpha_intercept: float | str = "auto"
    max_iter: int = 500

    strengths = (
        Strength("alpha", lambda _, data, loss: deviation_grid(data, loss, 33, 12)),
        Strength(
            "alpha_intercept", lambda _, data, loss: intercept_grid(data, loss, 22, 8), auto="alpha"
        ),
        Strength("alpha_common", lambda _, data, loss: with_zero(common_grid(data, loss, 13, 5))),
        Strength("n_components", lambda _, data, loss: rank_grid(data).astype(float)),
    )
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "n_components": [None, StrOptions({"cv"}), Interval(Integral, 1, None, closed="left")],
        "alpha_common": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _choose_strengths(self, data: TaskData, loss: Loss) -> Strengths:
        """Strengths without a projection first; then k by folds, then weaker alphas at that k."""
        given = self._given()
        k, most = given.pop("n_components"), min(data.n_tasks, data.n_features)
        strengths = self._search(data, loss, given)
        if self.alpha_common == "auto" and self.alpha != "cv" and loss.reaches_boundary:
            strengths["alpha_common"] = _bounding_ridge(data, loss)
        if k is not None or most == 1:
            k = min(k or 1, data.n_features if self.n_components else most)
            return {**strengths, "n_components": int(k)}
        folds = KFoldRisk(data, _FOLDS, TUNING_TOL, self.max_iter)

        risks = one_by_one(lambda s: folds(lambda part: self._make_problem(part, loss, s)))
        found = choose(risks, {"n_components": rank_grid(data).astype(float)}, strengths)
        strengths = {**found.strengths, "n_components": int(found.strengths["n_components"])}
        if self.alpha == "cv" and strengths["n_components"] < most:
            grid = strengths["alpha"] * np.array(_SHARES)
            choice = choose(risks, {"alpha": grid}, {**strengths, "alpha": 0.0})
            self.alpha_path_, self.cv_scores_ = choice.path, -choice.risks
            strengths["alpha"] = choice.strengths["alpha"]
        return strengths

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        k = min(int(strengths["n_components"]), data.n_features)
        penalties: dict[str, Penalty] = {"projection": Orthonormal()}
        penalties.update(_ridges(k, data, strengths))
        return Problem(data, loss, Projected(data.n_features, k, data.intercept), penalties)

    def _tuned_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        everywhere = np.ones(data.n_coefs, dtype=bool)
        structure = CommonDeviation(everywhere, everywhere)
        return Problem(data, loss, structure, _ridges(data.n_features, data, strengths))

    def _store(self, solution: Solution, data: TaskData) -> None:
        k, blocks = self.n_components_, solution.blocks
        self.components_ = np.ascontiguousarray(blocks["projection"].T)
        self.common_task_coef_ = blocks["common"][:k]
        self.deviation_task_coef_ = blocks["deviation"][:, :k]
        self.task_coef_ = self.common_task_coef_ + self.deviation_task_coef_
        self.coef_ = self.task_coef_ @ self.components_
        self.common_coef_ = self.common_task_coef_ @ self.components_
        self.deviation_coef_ = self.deviation_task_coef_ @ self.components_
        self._level, self._pull = float(blocks["common"][k:].sum()), float(self.alpha_intercept_)
        self.common_intercept_ = self._level - float(self.common_coef_ @ self._center)

    def _head_prior(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        return self.common_task_coef_, np.full(len(self.components_), float(self.alpha_))


def _bounding_ridge(data: TaskData, loss: Loss) -> float:
    """A ridge on w0 without which separable classes have no optimum."""
    norms = data.column_norms[:, : data.n_features]
    return _LEAST_RIDGE * data.null_curvature(loss) * float((norms**2).mean())


def _ridges(k: int, data: TaskData, strengths: Strengths) -> dict[str, Ridge]:
    """Ridges on heads, as strong as the digits of the curvature can tell from none or infinite."""
    level, size = data.n_coefs - data.n_features, float((data.column_norms**2).mean())
    alpha, alpha_level, alpha_common = (
        float(np.clip(strengths[name], _TINY * size, _HUGE * size)) if strengths[name] else 0.0
        for name in ("alpha", "alpha_intercept", "alpha_common")
    )
    own = np.append(np.full(k, alpha), np.full(level, alpha_level))
    common = np.append(np.full(k, alpha_common), np.zeros(level))
    return {"common": Ridge(common), "deviation": Ridge(own)}


class ProjectedMeanRegularizedRegressor(RegressorRole, _ProjectedMeanRegularized):
    """Mean-regularized heads on features P'x that all tasks share, squared loss."""


class ProjectedMeanRegularizedClassifier(ClassifierRole, _ProjectedMeanRegularized):
    """Mean-regularized heads on features P'x that all tasks share, logistic loss."""


FORMULATION = Formulation(
    name="projected-mean-regularized",
    title="Projected mean-regularized",
    objective="min over w0, DW, P with P'P = I: R on P'x with w0 + Dw_i, + alpha ||DW||_F^2",
    regressor=ProjectedMeanRegularizedRegressor,
    classifier=ProjectedMeanRegularizedClassifier,
    default=False,
    order=70,
)
