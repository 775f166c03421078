"""Concave penalties by stages: the norm that touches the penalty from above, again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.facts import RIDGES, ROWS, SLOPES, STAGES, Need
from polytask.solvers.norms.profile import zero_profile
from polytask.solvers.norms.working_set import solve_wide
from polytask.structures import Blocks

__all__ = ["Stages"]

_STAGES = 100
_FAR = 1e100  # coefficients from which every feature is free of its price


class Stages(Solver):
    """Multi-stage convex relaxation: a stationary point, the best of several starts.

    Each stage is a convex problem, solved to its duality gap; the objective never rises (Zhang
    2010). Starts: no coefficients, which is joint features, and all of them large, where every task
    has rows enough to hold those back.
    """

    name: ClassVar[str] = "convex stages"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, RIDGES, STAGES)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Stages, each of ``max_iter`` iterations at most, until the fall is below ``tol``."""
        zeros, scale = problem.zeros(), max(zero_profile(problem).smooth, np.finfo(float).tiny)
        large = {b: np.full_like(B, _FAR) for b, B in zeros.items()}
        data = problem.data
        free = data.sizes.min() > data.n_coefs and not problem.loss.reaches_boundary
        begins = ([zeros, large] if free else [zeros]) if start is None else [start]
        runs = [_run(problem, begin, start, tol, max_iter, scale) for begin in begins]
        return min(runs, key=lambda run: run.objective)


def _run(
    problem: Problem, begin: Blocks, start: Blocks | None, tol: float, max_iter: int, scale: float
) -> Solution:
    """Stages from the price that ``begin`` has, the first solved from ``start``."""
    at, value, n_iter = begin, np.inf, 0
    status = Status.MAX_ITER
    found = None
    for _ in range(_STAGES):
        stage_of = {b: q.above(at[b]) if hasattr(q, "above") else q
                    for b, q in problem.penalties.items()}  # fmt: skip
        convex = replace(problem, penalties=stage_of)
        found = solve_wide(convex, start, tol, max_iter)
        at = start = found.blocks
        n_iter += found.n_iter
        before, value = value, problem.objective(at)
        if found.status is not Status.SOLVED:
            break
        if before - value <= tol * scale:
            status = Status.SOLVED
            break
    assert found is not None
    return replace(
        found, objective=value, violation=problem.violation(at), certificate="stationary",
        solver=Stages.name, n_iter=n_iter, status=status,
    )  # fmt: skip
