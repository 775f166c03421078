"""The choice of a solver: the first of an ordered tuple that says it can."""

from __future__ import annotations

from collections.abc import Sequence

from polytask.problem import Problem
from polytask.solvers.base import Solver
from polytask.solvers.newton import BlockElimination, Newton

__all__ = ["PREFERENCE", "select"]

PREFERENCE: tuple[Solver, ...] = (BlockElimination(), Newton())


def select(problem: Problem, candidates: Sequence[Solver] = PREFERENCE) -> Solver:
    """The first solver that can solve the problem.

    Raises
    ------
    ValueError
        If none can; the message lists every solver's reason.
    """
    reasons = []
    for solver in candidates:
        reason = solver.why_not(problem)
        if reason is None:
            return solver
        reasons.append(f"{solver.name} {reason}")
    raise ValueError(f"no solver fits the problem: {'; '.join(reasons)}.")
