"""Losses that bend in a narrow band alone: fits with a wider one, to targets that move.

Outside its band the pinball loss has no curvature, so that squares at a point say next to nothing
of the loss around it. With a multiplier on every f_k = x_k'w the augmented Lagrangian, at its least
over f, is the loss of a wider band at another target. Fits of it are the steps of the method of
multipliers (Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in
convex programming, Mathematics of Operations Research 1, 1976); few are needed of a loss that is
linear and quadratic by parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from polytask.problem import Problem
from polytask.responses import Quantile
from polytask.solvers.base import Solution, Status
from polytask.solvers.norms.parts import norm_of, stacked
from polytask.solvers.norms.profile import Profile, dual_value, profile, zero_profile
from polytask.structures import Blocks

__all__ = ["lies_beyond_band", "solve_in_band"]

Solve = Callable[[Problem, "Blocks | None", float, int], Solution]
_STEPS = 500
_NEARLY_ALL = 0.95  # share of the rows
_NARROWER, _WIDER, _LEAST = 0.3, 4.0, 2.0  # times the last band; times the loss's own
_FALLS = 0.3  # share of the last gap above which a narrower band is asked for
_LATER = 0.1  # share of the gap at which a band was too narrow, below which one is tried again
_BUDGET = 400  # iterations, at first, of a fit that is given up for one with a wider band
_FIRST, _OF_GAP, _OF_TOL = 1e-3, 0.02, 0.1  # gaps of the fits: at first, shares of gap and tol


def lies_beyond_band(problem: Problem, start: Blocks | None) -> bool:
    """Whether the loss bends in a band alone, in which not nearly all rows are at the start."""
    loss = problem.loss
    return isinstance(loss, Quantile) and _usual_residual(problem, start) > loss.band


def _usual_residual(problem: Problem, start: Blocks | None) -> float:
    """The size that nearly all residuals have at most, at blocks or without features."""
    f = zero_profile(problem).f if start is None else problem.predict(start)
    return float(np.quantile(np.abs(problem.data.y - f), _NEARLY_ALL))


def solve_in_band(
    problem: Problem, solve: Solve, start: Blocks | None, tol: float, max_iter: int
) -> tuple[Profile, float, float, int]:
    """Solve to a gap of ``tol`` times the objective at L = 0: point, norm there, gap, iterations.

    The band begins so wide that nearly all rows are in it, and narrows where steps gain little. It
    is wider again where ``solve``, which fits, does not arrive. The value is that of a fit, the
    bound below it that of the best dual point that fits have.
    """
    data, loss, norm = problem.data, cast(Quantile, problem.loss), norm_of(problem)
    scale = max(zero_profile(problem).smooth, np.finfo(float).tiny)
    wide = _WIDER * _usual_residual(problem, start)
    least = _LEAST * loss.band
    f = zero_profile(problem).f if start is None else problem.predict(start)
    place, blocks, fit_tol = replace(loss, width=wide).across(data.y, f), start, _FIRST
    best, penalty, value, bound, n_iter = None, 0.0, np.inf, -np.inf, 0
    gap, failed, budget = np.inf, np.inf, _BUDGET
    for _ in range(_STEPS):
        moved, wide_loss = data.y + (wide - loss.band) * place, replace(loss, width=wide)
        wider = replace(problem, source=replace(data, y=moved), loss=wide_loss)
        most = min(budget, max_iter - n_iter)
        found = solve(wider, blocks, max(fit_tol, _OF_TOL * tol), most)
        blocks, n_iter = found.blocks, n_iter + max(found.n_iter, 1)
        at = profile(wider, stacked(wider, blocks), blocks)
        norm_at, nu = norm.value(at.B), wide_loss.gradient(moved, at.f)
        bound = max(bound, dual_value(problem, at, nu, norm_at) - at.free_residual)
        more = loss.value(data.y, at.f) - wide_loss.value(moved, at.f)
        smooth = at.smooth + float(data.weight @ more)
        if smooth + norm_at < value:
            value, penalty = smooth + norm_at, norm_at
            best = replace(at, smooth=smooth, risk_gradient=problem.risk_gradient(at.f))
        before, gap = gap, value - bound
        if gap <= tol * scale or n_iter >= max_iter:
            break
        if found.status is not Status.SOLVED:
            wide, budget, failed = _WIDER * wide, 2 * budget, gap
            continue
        place = wide_loss.across(moved, at.f)
        if gap > _FALLS * before and gap < _LATER * failed:
            wide = max(_NARROWER * wide, least)
        fit_tol = min(_NARROWER * fit_tol, _OF_GAP * gap / scale)
    assert best is not None
    return best, penalty, gap, n_iter
