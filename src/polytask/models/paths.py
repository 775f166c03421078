"""Paths of fits, from the strength at which W = 0 down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.data import TaskData, make_task_data, read_rows, read_target
from polytask.models._low_rank_base import LowRankBase
from polytask.models._norm_base import NormBase
from polytask.penalties.spectral import numerical_rank
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution, one_blas_thread
from polytask.tuning import given_strengths, norm_path, trace_grid, trace_path

__all__ = ["LowRankPath", "StrengthPath", "low_rank_path", "strength_path"]


@dataclass(frozen=True, eq=False)
class StrengthPath:
    """Fits along a path of alphas; the first axis is the path.

    Parameters
    ----------
    alphas : ndarray of shape (n,)
        From large to small.
    tasks : ndarray of shape (m,)
    coefs : ndarray of shape (n, m, d)
    intercepts : ndarray of shape (n, m)
    objectives, gaps : ndarray of shape (n,)
        Objective, and duality gap as a share of the objective at W = 0.
    """

    alphas: np.ndarray
    tasks: np.ndarray
    coefs: np.ndarray
    intercepts: np.ndarray
    objectives: np.ndarray
    gaps: np.ndarray


@dataclass(frozen=True, eq=False)
class LowRankPath(StrengthPath):
    """Fits along a path of alphas, with their ranks; the first axis is the path.

    Parameters
    ----------
    alphas : ndarray of shape (n,)
        From large to small.
    tasks : ndarray of shape (m,)
    coefs : ndarray of shape (n, m, d)
    intercepts : ndarray of shape (n, m)
    objectives, gaps : ndarray of shape (n,)
        Objective, and duality gap as a share of the objective at W = 0.
    ranks : ndarray of shape (n,)
    singular_values : ndarray of shape (n, min(m, d))
    """

    ranks: np.ndarray
    singular_values: np.ndarray


def low_rank_path(
    estimator: Any, X: Any, y: Any, *, alphas: Any = None, n_alphas: int = 50,
    decades: float = 3.0, sample_weight: Any = None,
) -> LowRankPath:  # fmt: skip
    """Fit a low-rank model along a path of alphas, each from the last one's solution.

    Gram matrices are made once for the path, which starts at the smallest alpha with W = 0,
    computed as the spectral norm of the gradient of R there.

    Parameters
    ----------
    estimator : LowRank or ProjectedLowRank estimator with ``penalty="nuclear"``
        Says everything but alpha; it is not fitted. ``alpha_intercept="auto"`` counts as 0 here.
    X, y, sample_weight
        As in the estimator's `fit`.
    alphas : array of shape (n,), optional
        Strengths; sorted from large to small. None makes ``n_alphas`` over so many ``decades``.

    Returns
    -------
    LowRankPath

    Raises
    ------
    ValueError
        If the estimator's penalty is not the trace norm.

    Examples
    --------
    >>> from polytask import LowRankRegressor, low_rank_path
    >>> from polytask.datasets import make_low_rank_tasks
    >>> X, y, truth = make_low_rank_tasks(10, 6, 30, rank=2, noise=0.1, random_state=0)
    >>> path = low_rank_path(LowRankRegressor(task="task"), X, y, n_alphas=5)
    >>> path.coefs.shape, int(path.ranks[0])
    ((5, 10, 6), 0)
    """
    if not isinstance(estimator, LowRankBase) or estimator.penalty != "nuclear":
        raise ValueError(
            "low_rank_path: estimator must be a LowRank or ProjectedLowRank model with "
            f"penalty='nuclear'; got {estimator!r}."
        )
    model, data, loss = _prepared(estimator, X, y, sample_weight)
    limit = model._limit()
    level = model.alpha_intercept
    strengths = {"alpha_intercept": 0.0 if level == "auto" else level}
    strengths[model.limit_name] = np.inf if limit in (None, "cv") else limit

    def problem_at(alpha: float) -> Problem:
        return model._make_problem(data, loss, {**strengths, "alpha": alpha})

    with one_blas_thread():
        grid = trace_grid(problem_at(1.0), n_alphas, decades) if alphas is None else alphas
        grid = np.sort(np.asarray(grid, dtype=float))[::-1]
        fits = trace_path(problem_at, grid, model.tol, model.max_iter)
    s = np.array([np.linalg.svd(fit.blocks["low_rank"], compute_uv=False) for fit in fits])
    ranks = np.array([numerical_rank(row) for row in s])
    return LowRankPath(**_fields(grid, fits, data), ranks=ranks, singular_values=s)


def strength_path(
    estimator: Any, X: Any, y: Any, *, alphas: Any = None, n_alphas: int = 50,
    decades: float = 2.0, sample_weight: Any = None,
) -> StrengthPath:  # fmt: skip
    """Fit a formulation with norms along a path of alphas, each from the last one's solution.

    The path starts at the smallest alpha with which the part that alpha is on would be zero were it
    the only one.

    Parameters
    ----------
    estimator : estimator of a formulation with norms, such as JointFeatures or RobustLowRank
        Says everything but alpha; it is not fitted. Other strengths that are "auto" are what they
        are beside a given alpha.
    X, y, sample_weight
        As in the estimator's `fit`.
    alphas : array of shape (n,), optional
        Strengths; sorted from large to small. None makes ``n_alphas`` over so many ``decades``.

    Returns
    -------
    StrengthPath

    Raises
    ------
    ValueError
        If the estimator is not one of those.

    Examples
    --------
    >>> from polytask import JointFeaturesRegressor, strength_path
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=5, n_features=4, random_state=0)
    >>> path = strength_path(JointFeaturesRegressor(task="task"), X, y, n_alphas=10)
    >>> path.coefs.shape, bool(path.coefs[0].any()), bool(path.coefs[1].any())
    ((10, 5, 4), False, True)
    """
    if not isinstance(estimator, NormBase):
        raise ValueError(
            "strength_path: estimator must be of a formulation with norms, such as "
            f"JointFeaturesRegressor; got {estimator!r}."
        )
    model, data, loss = _prepared(estimator, X, y, sample_weight)
    lead = model.strengths[0]

    def problem_at(alpha: float) -> Problem:
        model.set_params(**{lead.name: float(alpha)})
        return model._make_problem(data, loss, given_strengths(model))

    with one_blas_thread():
        if alphas is None:
            model.set_params(**{lead.name: 1.0})
            top = float(lead.grid(model, data, loss)[0]) if lead.grid else 1.0
            alphas = top * np.logspace(0.0, -decades, n_alphas)
        grid = np.sort(np.asarray(alphas, dtype=float))[::-1]
        fits = norm_path(problem_at, grid, model.tol, model.max_iter)
    return StrengthPath(**_fields(grid, fits, data))


def _prepared(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, TaskData, Loss]:
    """A copy of the estimator, the rows as it reads them, and its loss."""
    model = clone(estimator)
    model._validate_params()
    rows = read_rows(model, X, reset=True)
    target, names = read_target(model, y)
    data = make_task_data(model, rows, model._encode(target), names, sample_weight, center=True)
    model._check_data(data)
    return model, data, model._loss().started(data.y, data.weight, data.code)


def _fields(alphas: np.ndarray, fits: list[Solution], data: TaskData) -> dict[str, np.ndarray]:
    d = data.n_features
    center = np.zeros(d) if data.center is None else data.center
    coefs = np.array([fit.coefs[:, :d] for fit in fits])
    return {
        "alphas": alphas,
        "tasks": data.tasks,
        "coefs": coefs,
        "intercepts": np.array([fit.coefs[:, d:].sum(axis=1) for fit in fits]) - coefs @ center,
        "objectives": np.array([fit.objective for fit in fits]),
        "gaps": np.array([np.nan if fit.gap is None else fit.gap for fit in fits]),
    }
