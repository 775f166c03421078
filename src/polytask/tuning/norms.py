"""Paths of norms, from where what they see is zero."""

from __future__ import annotations

import numpy as np

from polytask.problem import Problem
from polytask.solvers.facts import norm_penalty
from polytask.solvers.norms.profile import zero_profile
from polytask.tuning.grids import path_of_norm

__all__ = ["difference_grid", "norm_grid"]


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
