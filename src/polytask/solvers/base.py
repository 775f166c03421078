"""What a solver is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from polytask.problem import Problem
from polytask.structures import Blocks

__all__ = ["Solution", "Solver", "Status"]


class Status(Enum):
    """How a solver stopped; the value is what to tell the user, with the remedy."""

    SOLVED = "solved"
    MAX_ITER = "stopped at max_iter; raise max_iter, raise the penalty, or scale the features"
    STALLED = (
        "no further progress in floating point; the features are nearly collinear or of very "
        "different scale: scale them or raise the penalty"
    )


@dataclass(frozen=True, eq=False)
class Solution:
    """Blocks at the returned point, and what is known of them.

    Parameters
    ----------
    blocks : dict
        Parameter blocks by name.
    coefs : ndarray of shape (m, p)
        Theta, the coefficients of every task (intercept last).
    objective : float
        Objective at the blocks, computed from residuals.
    violation : float
        Scale-free KKT violation at the blocks (see `Problem.violation`).
    status : Status
    certificate : {"global", "stationary"}
        "global" where the problem is convex or the optimum is known in closed form.
    solver : str
        Name of the solver that ran.
    n_iter : int
    gap : float or None
        Duality gap relative to the objective at zero, where the solver has one.
    singular_values : ndarray of shape (rank,) or None
        Those of the low-rank block, where the solver has them.
    """

    blocks: Blocks
    coefs: np.ndarray
    objective: float
    violation: float
    status: Status
    certificate: str
    solver: str
    n_iter: int
    gap: float | None = None
    singular_values: np.ndarray | None = None


class Solver(Protocol):
    """A method for some problems."""

    name: str

    def why_not(self, problem: Problem) -> str | None:
        """None if the solver can solve the problem, else the reason why not."""
        ...

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Solve to a violation below ``tol``."""
        ...
