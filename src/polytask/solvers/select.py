"""The choice of a solver: the first of an ordered tuple that says it can."""

from __future__ import annotations

from collections.abc import Sequence

from polytask.data import TaskData
from polytask.problem import Problem
from polytask.solvers.base import Solver
from polytask.solvers.conjugate import ConjugateGradients
from polytask.solvers.factored.newton import FactoredNewton
from polytask.solvers.low_rank.projection import Alternating
from polytask.solvers.low_rank.rank_limit import RankLimit
from polytask.solvers.low_rank.reduced_rank import ReducedRank
from polytask.solvers.newton import BlockElimination, Newton
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.fista import Fista

__all__ = ["PREFERENCE", "select"]

PREFERENCE: tuple[Solver, ...] = (
    ConjugateGradients(),
    BlockElimination(),
    Newton(),
    ReducedRank(),
    FactoredNewton(),
    Admm(),
    Fista(),
    Alternating(),
    RankLimit(),
)

_NEEDS_ROWS = "needs the rows in memory"


def select(problem: Problem, candidates: Sequence[Solver] = PREFERENCE) -> Solver:
    """The first solver that can solve the problem.

    Raises
    ------
    ValueError
        If none can; the message lists every solver's reason.
    """
    reasons, no_rows = [], not isinstance(problem.source, TaskData)
    for solver in candidates:
        by_rows = no_rows and getattr(solver, "needs_rows", True)
        reason = _NEEDS_ROWS if by_rows else solver.why_not(problem)
        if reason is None:
            return solver
        reasons.append(f"{solver.name} {reason}")
    raise ValueError(f"no solver fits the problem: {'; '.join(reasons)}.")
