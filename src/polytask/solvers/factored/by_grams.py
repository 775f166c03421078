"""The trace norm with squared loss from Gram matrices alone: no pass over the rows for a fit.

Gram matrices lose digits where features or targets are far from zero, or a fit is nearly perfect.
How many is bounded from the lengths of columns and coefficients; a gap is believed only where the
bound is far below it, and the rows decide everywhere else.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytask.data.kept import kept
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.factored.run import Run, balanced
from polytask.solvers.factored.squares import GramModel, Look
from polytask.solvers.factored.start import start_point
from polytask.solvers.norms.profile import Point, rest_facts, zero_profile
from polytask.solvers.norms.trace_norm import squares_at, trace_solution
from polytask.structures import Blocks

__all__ = ["solve_by_grams"]

_ULPS = 64.0  # roundings that a sum of products is granted, in units of its largest term
_BELIEVED = (1e-2, 1e-8)  # bound on rounding, as a share of the gap to reach and of F(L)


class KeptModel:
    """A model, and the lengths that bound its rounding."""

    def __init__(self, problem: Problem) -> None:
        data, zero = problem.data, zero_profile(problem)
        F = squares_at(problem, zero)
        self.model = GramModel(F) if F.curvature.products else None
        self.norms = data.column_norms
        self.rest = zero.rest
        size = np.sqrt(np.bincount(data.code, data.weight * data.y**2, minlength=data.n_tasks))
        theta = problem.structure.rest.assemble(zero.rest)  # type: ignore[attr-defined]
        self.length = size + (self.norms * np.abs(theta)).sum(axis=1)

    def rounding(self, problem: Problem, look: Look, norm: float) -> float:
        """By how much rounding may move a gap or the objective."""
        theta = problem.structure.rest.assemble(look.rest)  # type: ignore[attr-defined]
        theta[:, : look.L.shape[1]] += look.L
        t = self.length + (self.norms * np.abs(theta)).sum(axis=1)
        slope = np.sqrt(float((self.norms**2).sum(axis=1) @ t**2))
        return float(_ULPS * np.finfo(float).eps * (t @ t + norm * slope))


def solve_by_grams(
    problem: Problem, start: Blocks | None, tol: float, max_iter: int, name: str
) -> Solution | None:
    """The solution, or None where the rows are needed. L = 0 is not the optimum."""
    known, zero = _known(problem), zero_profile(problem)
    if known.model is None:
        return None
    alpha = problem.penalties["low_rank"].alpha  # type: ignore[attr-defined]
    L = zero.L if start is None else start["low_rank"]
    directions = None if start is None else start.get("directions")
    at = start_point(known.model, alpha, L, directions)
    if at is None:
        return None
    run = Run(known.model, alpha, zero.smooth, at, max_iter)
    look = run.to(0.9 * tol * zero.smooth)
    U, s, V = balanced(look.B, look.C, 1e-9)
    norm = float(s.sum())
    allowed = min(_BELIEVED[0] * tol * zero.smooth, _BELIEVED[1] * look.smooth)
    if look.gap > tol * zero.smooth or known.rounding(problem, look, norm) > allowed:
        return None
    rest = {name: known.rest[name] + look.rest[name] for name in known.rest}
    point = Point(look.L, rest, look.smooth, zero.risk_gradient + look.slope)
    found = trace_solution(
        problem, point, norm, zero.smooth, tol, name, run.n_iter, look.gap, (U, V)
    )
    return replace(found, singular_values=s)


def _known(problem: Problem) -> KeptModel:
    return kept(problem.data, ("gram model", *rest_facts(problem)), lambda: KeptModel(problem))
