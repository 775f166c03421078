"""Paths of low-rank penalties: where L = 0 begins, computed, and which ranks are worth a try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from polytask.data import TaskData
from polytask.penalties import Rank, TraceNorm
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution, Solver, select
from polytask.solvers.facts import rank_of
from polytask.solvers.low_rank.rank_limit import rank_fits
from polytask.solvers.norms.continuation import Continuation
from polytask.solvers.norms.profile import zero_factor
from polytask.tuning.grids import path_of_norm

__all__ = [
    "level_grid",
    "rank_grid",
    "rank_strengths",
    "trace_alpha_max",
    "trace_grid",
    "trace_path",
]

_MOST_RANKS = 11
_LITTLE = 0.01  # share of the fall so far below which another rank is not worth a try


def trace_alpha_max(problem: Problem) -> float:
    """Smallest alpha of the trace norm with L = 0: the spectral norm of R's gradient there.

    Intercepts, and w0 where it is split off, are at their optimum for L = 0.
    """
    penalties = {**problem.penalties, "low_rank": TraceNorm(1.0)}
    return zero_factor(replace(problem, penalties=penalties))


def trace_grid(problem: Problem, n: int, decades: float = 3.0) -> np.ndarray:
    """Strengths of the trace norm, from `trace_alpha_max` down."""
    return path_of_norm(trace_alpha_max(problem), problem.data, n, decades)


def trace_path(
    problem_at: Callable[[float], Problem], alphas: np.ndarray, tol: float, max_iter: int
) -> list[Solution]:
    """Fits from the largest alpha to the smallest, each from where the last ones point to."""
    ahead = Continuation()
    fits: list[Solution] = []
    solver: Solver | None = None  # no strength calls for another one
    for alpha in alphas:
        problem = problem_at(float(alpha))
        solver = solver or select(problem)
        fits.append(solver.solve(problem, ahead.start(float(alpha)), tol, max_iter))
        ahead.add(float(alpha), fits[-1].blocks)
    return fits


def level_grid(data: TaskData, loss: Loss) -> np.ndarray:
    """Strengths for Δb: an intercept keeps 1/101, 1/11, 1/2, 10/11 and all of its deviation."""
    if not data.intercept or data.n_tasks == 1:
        return np.zeros(1)
    unit = data.null_curvature(loss) * float(data.share.max())
    return unit * np.array([50.0, 5.0, 0.5, 0.05, 0.0])


def rank_grid(data: TaskData, smallest: int = 1) -> np.ndarray:
    """Ranks up to min(m, d): all small ones, then steps of about two fifths."""
    most = min(data.n_tasks, data.n_features)
    ranks = np.unique(np.r_[smallest:7, (6 * 1.4 ** np.arange(1, 20)).astype(int)])
    ranks = np.append(ranks[ranks < most], most)
    return np.unique(ranks[:_MOST_RANKS])


def rank_strengths(
    problem: Problem, limit: int, tol: float, max_iter: int
) -> dict[int, tuple[float, float]]:
    """Interval of alpha in which each rank is the best of the fits: R_r + alpha r over r.

    Only ranks on the lower convex hull of (r, R_r) have one. The first interval is unbounded: the
    smallest alpha with L = 0 is its lower end. Ranks end where another lowers R by little.
    """
    fits = {0: 0.0}
    for r in range(1, limit + 1):
        found = rank_fits(_without_alpha(problem), r, tol, max_iter)
        fits = {s: fit.objective for s, fit in found.items()}
        if r not in fits:  # the features have no more directions
            break
        if r > 1 and fits[r - 1] - fits[r] < _LITTLE * (fits[0] - fits[r]):
            break
    return _hull_intervals(fits)


def _without_alpha(problem: Problem) -> Problem:
    penalty = Rank(0.0, ridge=rank_of(problem).ridge)
    penalties = {**problem.penalties, "low_rank": penalty}
    return Problem(problem.data, problem.loss, problem.structure, penalties)


def _hull_intervals(value: dict[int, float]) -> dict[int, tuple[float, float]]:
    at, top, out = 0, np.inf, {}
    last = max(value)
    while at < last:
        slopes = {r: (value[at] - value[r]) / (r - at) for r in range(at + 1, last + 1)}
        following = max(slopes, key=lambda r: (slopes[r], r))
        low = max(slopes[following], 0.0)
        out[at] = (low, top)
        if low <= 0.0:
            return out
        at, top = following, low
    out[at] = (0.0, top)
    return out
