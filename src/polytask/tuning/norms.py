"""Paths of norms, from where what they see is zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.problem import Problem
from polytask.solvers import Solution, Solver, select
from polytask.solvers.facts import norm_penalty
from polytask.solvers.norms.continuation import SupportContinuation
from polytask.solvers.norms.profile import zero_profile
from polytask.tuning.grids import path_of_norm

__all__ = ["difference_grid", "norm_grid", "norm_path", "trace_limits"]


def norm_path(
    problem_at: Callable[[float], Problem], alphas: np.ndarray, tol: float, max_iter: int
) -> list[Solution]:
    """Fits from the largest alpha to the smallest, each from where the last ones point to."""
    ahead = SupportContinuation()
    fits: list[Solution] = []
    solver: Solver | None = None  # problems that differ in alpha alone are of one kind
    for alpha in map(float, alphas):
        problem = problem_at(alpha)
        solver = solver or select(problem)
        fits.append(solver.solve(problem, ahead.start(alpha), tol, max_iter))
        ahead.add(alpha, fits[-1].blocks)
    return fits


def norm_grid(problem: Problem, part: str, n: int, decades: float = 2.5) -> np.ndarray:
    """Strengths of the norm on ``part``, which has strength 1 in the problem, from strong to weak.

    The first is the smallest at which that part, were it the only one, is zero: the norm's dual at
    the gradient of R, intercepts at their best.
    """
    gradient = zero_profile(problem).gradient
    top = norm_penalty(problem.penalties[part]).dual(gradient)
    return path_of_norm(top, problem.data, n, decades)


def difference_grid(problem: Problem, n: int = 5, decades: float = 2.0) -> np.ndarray:
    """Strengths for differences of neighbouring tasks, from strong to weak.

    From the first on tasks are alike where W is about zero: the largest sum that the gradient of R
    comes to along the tasks, less its mean.
    """
    gradient = zero_profile(problem).gradient
    drift = np.cumsum(gradient - gradient.mean(axis=0), axis=0)
    top = float(np.abs(drift).max(initial=0.0))
    return path_of_norm(top, problem.data, n, decades)


def trace_limits(problem: Problem, n: int = 5) -> np.ndarray:
    """Limits on the sum of W's singular values, from small to large.

    From a tenth to ten times that of the best step along the gradient of R at W = 0, which is where
    the least squares are if features are uncorrelated.
    """
    zero, data, loss = zero_profile(problem), problem.data, problem.loss
    step = np.zeros((data.n_tasks, data.n_coefs))
    step[:, : data.n_features] = zero.gradient
    bend = float((data.weight * loss.curvature(data.y, zero.f)) @ data.design.predict(step) ** 2)
    size = float((step * step).sum()) / max(bend, np.finfo(float).tiny)
    trace = size * float(np.linalg.svd(zero.gradient, compute_uv=False).sum())
    return (trace or 1.0) * np.logspace(-1.0, 1.0, n)
