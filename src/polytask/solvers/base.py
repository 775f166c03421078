"""What a solver is asked and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

import numpy as np

from polytask.problem import Problem
from polytask.solvers.facts import Need
from polytask.structures import Blocks

__all__ = ["Solution", "Solver", "Status", "fits", "missing"]


class Status(Enum):
    """How a solver stopped; the value is what to tell the user, with the remedy."""

    SOLVED = "solved"
    MAX_ITER = "stopped at max_iter; raise max_iter, raise the penalty, or scale the features"
    STALLED = (
        "no further progress in floating point; the features are nearly collinear or of very "
        "different scale: scale them or raise the penalty"
    )
    VARIANCES = (
        "the search for the variances ended where the likelihood still rises; scale the features, "
        "or set covariance='scalar', which asks less of the rows"
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


class Solver(Protocol):
    """A method for the problems that have what it needs.

    Parameters
    ----------
    name : str
        What `Solution.solver` says; no two solvers have the same.
    needs : sequence of Need
        Facts, in the order in which they are asked.
    """

    name: ClassVar[str]
    needs: ClassVar[Sequence[Need]]

    def slower(self, problem: Problem) -> bool:
        """Whether another method is the faster one, though this one could solve the problem."""
        return False

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Solve to a violation, or a relative duality gap, below ``tol``."""
        ...


def missing(solver: Solver, problem: Problem) -> list[Need]:
    """What the solver needs and the problem lacks: the first such fact and those after it."""
    for at, need in enumerate(solver.needs):
        if not need.holds(problem):
            return list(solver.needs[at:])
    return []


def fits(solver: Solver, problem: Problem) -> bool:
    """Whether the solver can solve the problem, and is not the slower method there."""
    return not missing(solver, problem) and not solver.slower(problem)
