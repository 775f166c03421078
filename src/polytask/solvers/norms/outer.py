"""R + a norm by a method for squares: once for the squared loss, else inside Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from polytask.penalties import Norm
from polytask.problem import Problem
from polytask.solvers.base import Solution, Status
from polytask.solvers.norms.multipliers import lies_beyond_band, solve_in_band
from polytask.solvers.norms.parts import norm_of, stacked, unstacked
from polytask.solvers.norms.profile import Profile, duality_gap, profile, zero_factor, zero_profile
from polytask.solvers.norms.squares import Squares, gap_of_slope, squares_gap
from polytask.structures import Blocks

__all__ = ["Inner", "solution_at", "solve_norm", "squares_at", "zero_is_best"]

# (F, norm, start, gap to reach, iterations at most) -> B, iterations
Inner = Callable[[Squares, Norm, np.ndarray, float, int], tuple[np.ndarray, int]]
_SEARCHING = 1e-5  # tolerance from which a fit only serves to compare strengths
_BY_GRAMS = 1e-8  # tolerance from which the digits of Gram matrices certify a gap
# Of fits that compare strengths: share of the tolerance that a gap must have which is nearly
# the distance itself; what may be left at a given start, as a share of the scale; see `_rest_tol`.
_PROVEN, _WARM, _REST_FAR = 0.3, 1e-2, 0.05
_ENOUGH = 0.9  # of the tolerance: what inner methods measure and what is measured at the end agree
_OUTER = 50  # Newton steps at most
_OF_LAST = 0.05  # share of the last gap to which squares are solved on the way
# A gap that stays asks for closer squares, where far rows cost more in it: tails beyond a kink.
_FALLS, _CLOSER = {True: 0.5, False: np.inf}, 0.1
_MOST_ACCURATE = {True: 1e-3, False: 1e-12}  # of the tolerance: of squares, of other losses
_REST_TOL, _OF_GAP = (1e-11, 1e-4), 1e-2  # of a rest on the way: bounds, share of the gap
# Curvature at least: of kinks the first, of tails, in which it falls with the slope, the second.
_FLAT, _FLATTEST = 1e-6, 1e-10
# Squares of separated labels may take steps without end: iterations, at gaps above a share.
_ON_THE_WAY, _FAR = 500, 1e-2
_ROUNDING = 1e-12  # share of the norm's strength that rounding can move


def solve_norm(
    problem: Problem, inner: Inner, name: str, start: Blocks | None, tol: float, max_iter: int
) -> Solution:
    """Solve to a duality gap of ``tol`` times the objective at L = 0.

    For losses other than the squared a proximal Newton method: the weighted squares at the
    current point, solved by ``inner``, and a line search (Lee, Sun and Saunders 2014). A loss that
    bends in a narrow band alone is solved by such fits of a wider one.
    """
    if not lies_beyond_band(problem, start) or zero_is_best(problem):
        return _newton(problem, inner, name, start, tol, max_iter)
    at, penalty, gap, n_iter = solve_in_band(
        problem, lambda wider, *how: _newton(wider, inner, name, *how), start, tol, max_iter
    )
    scale = max(zero_profile(problem).smooth, np.finfo(float).tiny)
    return solution_at(problem, at, penalty, scale, tol, name, n_iter, gap)


def _newton(
    problem: Problem, inner: Inner, name: str, start: Blocks | None, tol: float, max_iter: int
) -> Solution:
    """By squares at one point after the other; a loss with a narrow band wants `solve_in_band`."""
    norm, zero = norm_of(problem), zero_profile(problem)
    scale = max(zero.smooth, np.finfo(float).tiny)
    if zero_is_best(problem):
        return solution_at(problem, zero, 0.0, scale, tol, name, 0, 0.0)
    if tol >= _BY_GRAMS and problem.loss.is_quadratic:
        F = squares_at(problem, zero)
        if F.grams_have_digits:
            return _by_grams(problem, F, inner, name, start, tol, max_iter)
    at = zero if start is None else profile(problem, stacked(problem, start), start)
    penalty = norm.value(at.B)
    gap, accuracy, n_iter = duality_gap(problem, at, penalty), 0.5, 0
    exact, kinks = problem.loss.is_quadratic, problem.loss.has_kinks
    searching = tol >= _SEARCHING and not (exact or kinks)
    tol = _PROVEN * tol if searching else tol
    left = gap if start is None or not searching else min(gap, _WARM * scale)
    share = _OF_LAST  # smaller where B was no better: a dual point may be far off at a good one
    stuck = False  # at a kink, which squares that lie above the loss lead away from
    for _ in range(_OUTER):
        if gap <= tol * scale or n_iter >= max_iter:
            break
        free = penalty > 0 and at.is_next_to_free(penalty)  # the gap far away says next to nothing
        wanted = max(accuracy * tol * scale, 0.0 if exact or free else share * left)
        F = squares_at(problem, at, stuck)
        F.by_slopes = searching
        far = not exact and left > _FAR * scale
        most = min(_ON_THE_WAY, max_iter - n_iter) if far else max_iter - n_iter
        B, used = inner(F, norm, at.B, wanted, most)
        n_iter += used
        old, before = at, gap
        rest_tol = _rest_tol(left / scale, exact, searching)
        at, penalty = _step(problem, norm, at, penalty, B, F.gradient(B)[1], rest_tol)
        share *= _CLOSER if at is old else 1.0
        at, gap, left = _measured(problem, at, penalty, F, tol * scale, n_iter >= max_iter)
        accuracy *= _CLOSER if left <= tol * scale < gap else 1.0  # for a proof
        if gap > (tol * scale if exact else _FALLS[kinks] * before):
            share, accuracy = _CLOSER * share, _CLOSER * accuracy
            if accuracy < _MOST_ACCURATE[exact]:
                break
        still = not exact and gap > 0.999 * before and before < 1e-3 * scale and used == 0
        if still and not kinks:
            break
        stuck = still
    return solution_at(problem, at, penalty, scale, tol, name, n_iter, gap)


def _rest_tol(left: float, exact: bool, searching: bool) -> float:
    """How close a rest on the way is solved for; where it is far, squares say the next one."""
    if exact:
        return _REST_TOL[0]
    return _REST_FAR if searching else float(np.clip(_OF_GAP * left, *_REST_TOL))


def _measured(
    problem: Problem, at: Profile, penalty: float, F: Squares, enough: float, last: bool
) -> tuple[Profile, float, float]:
    """A point, its gap, and about what its objective is above the least.

    The dual point that squares have says the latter; the gap is proven only where that is
    ``enough``, or this is the ``last`` look.
    """
    left = gap_of_slope(F, at.B, at.gradient, penalty, norm_of(problem), F.dual)
    if enough < left < np.inf and not last:
        return at, left, left
    gap = duality_gap(problem, at, penalty, F)
    if not problem.loss.is_quadratic and gap <= enough:
        at = profile(problem, at.B, at.rest)
        gap = duality_gap(problem, at, penalty, F)
    return at, gap, min(left, gap)


class _Point(NamedTuple):
    """A point B with the best rest, measured by Gram matrices."""

    B: np.ndarray
    rest: Blocks
    smooth: float
    risk_gradient: np.ndarray


def _by_grams(
    problem: Problem, F: Squares, inner: Inner, name: str, start: Blocks | None, tol: float,
    max_iter: int,
) -> Solution:  # fmt: skip
    """Squares without a pass over the rows: the point and its gap from Gram matrices alone."""
    norm, scale = norm_of(problem), max(F.value_at_zero, np.finfo(float).tiny)
    # On a path, where inverses serve again and again; what compares strengths is better than asked.
    F.by_slopes = start is not None and tol < _SEARCHING
    B = zero_profile(problem).B if start is None else stacked(problem, start)
    B, n_iter = inner(F, norm, B, _ENOUGH * tol * scale, max_iter)
    at = _Point(B, *F.at(B))
    g = at.risk_gradient[:, : B.shape[-1]]
    g = g if F.quadratic is None else g + F.quadratic.gradient(B)
    penalty = norm.value(B)
    gap = gap_of_slope(F, B, g, penalty, norm, F.dual)
    gap = gap if gap <= tol * scale else min(gap, squares_gap(F, B, g, penalty, norm))
    return solution_at(problem, at, penalty, scale, tol, name, n_iter, gap)


def zero_is_best(problem: Problem) -> bool:
    """Whether the norm is so strong that L = 0 is the optimum, up to rounding."""
    return zero_factor(problem) <= 1.0 + _ROUNDING


def squares_at(problem: Problem, at: Profile, above: bool = False) -> Squares:
    """The loss to second order at a point, as weighted squares of a working target.

    ``above``: squares that lie above the loss, for kinks.
    """
    data, loss = problem.data, problem.loss
    if loss.is_quadratic:
        return Squares(problem, data.weight, data.y, zero_profile(problem))
    g = loss.gradient(data.y, at.f)
    h = (loss.majorizer if above else loss.curvature)(data.y, at.f)
    h = np.maximum(h, np.clip(_FLAT * np.abs(g), _FLATTEST, _FLAT))
    return Squares(problem, data.weight * h, at.f - g / h)


def _step(
    problem: Problem, norm: Norm, at: Profile, penalty: float, B: np.ndarray, rest: Blocks,
    rest_tol: float,
) -> tuple[Profile, float]:  # fmt: skip
    """The first of the steps 1, 1/2, ... to B and rest that does not raise the objective."""
    value, exact = at.smooth + penalty, problem.loss.is_quadratic
    for size in 0.5 ** np.arange(20):
        to = B if size == 1 else at.B + size * (B - at.B)
        begin = {b: at.rest[b] + size * (rest[b] - at.rest[b]) for b in rest}
        trial = profile(problem, to, begin, rest_tol)
        there = norm.value(trial.B)
        if exact or trial.smooth + there <= value * (1 + 1e-14):
            return trial, there
    return at, penalty


def solution_at(
    problem: Problem, at: Profile | _Point, penalty: float, scale: float, tol: float, name: str,
    n_iter: int, gap: float,
) -> Solution:  # fmt: skip
    """A point as the answer, certified by its gap."""
    blocks = {**unstacked(problem, at.B), **at.rest}
    gap = max(gap, 0.0) / scale
    violation = np.nan
    if tol < _SEARCHING:
        residual = problem.residual(blocks, gradient=at.risk_gradient)
        violation = problem.violation(blocks, residual)
    return Solution(
        blocks=blocks,
        coefs=problem.structure.assemble(blocks),
        objective=at.smooth + penalty,
        violation=violation,
        status=Status.SOLVED if gap <= tol else Status.MAX_ITER,
        certificate="global",
        solver=name,
        n_iter=n_iter,
        gap=gap,
    )
