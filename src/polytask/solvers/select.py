"""The choice of a solver: the first of an ordered tuple that has what it needs."""

from __future__ import annotations

from collections.abc import Sequence

from polytask.problem import Problem
from polytask.solvers.base import Solver, fits, missing
from polytask.solvers.conjugate import ConjugateGradients, NewtonCG
from polytask.solvers.low_rank.projection import Alternating
from polytask.solvers.low_rank.rank_limit import RankLimit
from polytask.solvers.low_rank.reduced_rank import ReducedRank
from polytask.solvers.newton import BlockElimination, Newton
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.calibrated import Calibrated
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.solvers.norms.rank_newton import RankNewton
from polytask.solvers.norms.stages import Stages
from polytask.solvers.norms.support import SupportNewton
from polytask.solvers.norms.working_set import WorkingSet

__all__ = ["PREFERENCE", "select"]

PREFERENCE: tuple[Solver, ...] = (
    ConjugateGradients(),
    BlockElimination(),
    Newton(),
    ReducedRank(),
    RankLimit(),
    Alternating(),
    Calibrated(),
    WorkingSet(),
    SupportNewton(),
    RankNewton(),
    Admm(),
    NewtonCG(),  # any quadratic penalty
    Stages(),  # what lies below norms
    ProximalGradient(),  # any norm
)


def select(problem: Problem, candidates: Sequence[Solver] = PREFERENCE) -> Solver:
    """The first solver that has what it needs and is not the slower one.

    Raises
    ------
    ValueError
        If none can; the message names what the solver that comes nearest lacks.
    """
    for solver in candidates:
        if fits(solver, problem):
            return solver
    lacks = {solver.name: missing(solver, problem) for solver in candidates}
    nearest = min(reversed(candidates), key=lambda solver: len(lacks[solver.name])).name
    penalties = ", ".join(f"{b}: {type(q).__name__}" for b, q in problem.penalties.items())
    raise ValueError(
        f"no solver fits the problem: it must have {lacks[nearest][0].says}, which is what "
        f"{nearest} lacks; got {type(problem.structure).__name__} with {penalties}."
    )
