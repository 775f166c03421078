"""The faster of the norm solvers, for those who solve norms on their way to something else."""

from __future__ import annotations

from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, fits
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.solvers.norms.rank_newton import RankNewton
from polytask.solvers.norms.support import SupportNewton
from polytask.structures import Blocks

__all__ = ["solve_convex"]


def solve_convex(problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
    """Solve by whichever is faster."""
    roads: tuple[Solver, ...] = (SupportNewton(), RankNewton(), Admm(), ProximalGradient())
    solver = next(road for road in roads if fits(road, problem))
    return solver.solve(problem, start, tol, max_iter)
