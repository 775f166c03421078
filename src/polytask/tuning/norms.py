"""Paths of norms, from where what they see is zero."""

from __future__ import annotations

import numpy as np

from polytask.problem import Problem
from polytask.solvers.facts import norm_penalty
from polytask.solvers.norms.profile import zero_profile

__all__ = ["norm_grid"]


def norm_grid(problem: Problem, part: str, n: int, decades: float = 2.5) -> np.ndarray:
    """Strengths of the norm on ``part``, which has strength 1 in the problem, from strong to weak.

    The first is the smallest at which that part, were it the only one, is zero: the norm's dual at
    the gradient of R, intercepts at their best.
    """
    gradient = zero_profile(problem).gradient
    top = norm_penalty(problem.penalties[part]).dual(gradient)
    return max(top, np.finfo(float).tiny * 1e20) * np.logspace(0.0, -decades, n)
