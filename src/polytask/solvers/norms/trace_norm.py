"""R + alpha ‖L‖_* by a method for squares: once for the squared loss, else inside Newton steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.problem import Problem
from polytask.solvers.base import Solution, Status
from polytask.solvers.facts import has_low_rank_block, sums_singular
from polytask.solvers.norms.profile import Point, Profile, duality_gap, profile, zero_profile
from polytask.solvers.norms.squares import Squares
from polytask.structures import Blocks

__all__ = [
    "Inner",
    "solve_trace",
    "squares_at",
    "sum_of_singular_values",
    "trace_solution",
    "why_not_trace",
    "zero_solution",
]

# (F, alpha, start, gap to reach, iterations at most) -> L, iterations
Inner = Callable[[Squares, float, np.ndarray, float, int], tuple[np.ndarray, int]]
_SEARCHING = 1e-5  # tolerance from which a fit only serves to compare strengths
_OUTER = 50  # Newton steps at most
_REST_TOL = {True: 1e-11, False: 1e-4}  # of a rest on the way, where the loss is squared or not
_ROUNDING = 1e-12  # share of alpha's maximum that rounding can move


def why_not_trace(problem: Problem) -> str | None:
    """None, or why the problem is not a convex trace-norm problem."""
    if not has_low_rank_block(problem.structure):
        return "needs a low-rank part in its structure"
    penalty = problem.penalties["low_rank"]
    if not sums_singular(penalty) or penalty.max_rank is not None:
        return "needs the trace norm without a limit on the rank"
    return None


def solve_trace(
    problem: Problem, inner: Inner, name: str, start: Blocks | None, tol: float, max_iter: int,
    n_iter: int = 0,
) -> Solution:  # fmt: skip
    """Solve to a duality gap of ``tol`` times the objective at L = 0.

    For losses other than the squared a proximal Newton method: the weighted squares at the
    current point, solved by ``inner``, and a line search (Lee, Sun and Saunders 2014).
    """
    alpha = problem.penalties["low_rank"].alpha  # type: ignore[attr-defined]
    nothing = zero_solution(problem, tol, name)
    if nothing is not None:
        return nothing
    zero = zero_profile(problem)
    scale = max(zero.smooth, np.finfo(float).tiny)
    at = zero if start is None else profile(problem, start["low_rank"], start)
    norm = sum_of_singular_values(at.L)
    gap, accuracy = duality_gap(problem, at, alpha, norm), 0.5
    max_iter += n_iter
    for _ in range(_OUTER):
        if gap <= tol * scale or n_iter >= max_iter:
            break
        exact = problem.loss.is_quadratic
        wanted = accuracy * tol * scale if exact else max(0.5 * tol * scale, 0.05 * gap)
        F = squares_at(problem, at)
        L, used = inner(F, alpha, at.L, wanted, max_iter - n_iter)
        n_iter += used
        before = gap
        at, norm = _step(problem, at, norm, L, F.gradient(L)[1], alpha)
        gap = duality_gap(problem, at, alpha, norm)
        if not exact and gap <= tol * scale:
            at = profile(problem, at.L, at.rest)
            gap = duality_gap(problem, at, alpha, norm)
        if exact and gap > tol * scale:
            accuracy *= 0.1
            if accuracy < 1e-3:
                break
        if not exact and gap > 0.999 * before and before < 1e-3 * scale and used == 0:
            break
    return trace_solution(problem, at, norm, scale, tol, name, n_iter, gap)


def zero_solution(problem: Problem, tol: float, name: str) -> Solution | None:
    """L = 0, where that is the optimum."""
    zero = zero_profile(problem)
    if zero.gradient_norm > problem.penalties["low_rank"].alpha * (1.0 + _ROUNDING):  # type: ignore[attr-defined]
        return None
    scale = max(zero.smooth, np.finfo(float).tiny)
    return trace_solution(problem, zero, 0.0, scale, tol, name, 0)


def squares_at(problem: Problem, at: Profile) -> Squares:
    """The loss to second order at a point, as weighted squares of a working target."""
    data, loss = problem.data, problem.loss
    h = np.maximum(loss.curvature(data.y, at.f), 1e-6)
    z = at.f - loss.gradient(data.y, at.f) / h
    constant = loss.is_quadratic
    z = data.y if constant else z
    zero = zero_profile(problem) if constant else None
    return Squares(
        data, problem.structure, problem.penalties, data.weight * h, z, constant, zero  # type: ignore[arg-type]
    )  # fmt: skip


def _step(
    problem: Problem, at: Profile, norm: float, L: np.ndarray, rest: Blocks, alpha: float
) -> tuple[Profile, float]:
    """The first of the steps 1, 1/2, ... to L and rest that does not raise the objective."""
    value, exact = at.smooth + alpha * norm, problem.loss.is_quadratic
    for size in 0.5 ** np.arange(20):
        to = L if size == 1 else at.L + size * (L - at.L)
        begin = {b: at.rest[b] + size * (rest[b] - at.rest[b]) for b in rest}
        trial = profile(problem, to, begin, _REST_TOL[exact])
        norm_trial = sum_of_singular_values(trial.L)
        if exact or trial.smooth + alpha * norm_trial <= value * (1 + 1e-14):
            return trial, norm_trial
    return at, norm


def sum_of_singular_values(L: np.ndarray) -> float:
    """‖L‖_*."""
    return float(np.linalg.svd(L, compute_uv=False).sum())


def trace_solution(
    problem: Problem, at: Point, norm: float, scale: float, tol: float, name: str, n_iter: int,
    gap: float = 0.0, vectors: tuple[np.ndarray, np.ndarray] | None = None,
) -> Solution:  # fmt: skip
    """A point as the answer, certified by its gap; ``vectors`` are L's singular ones, if known."""
    alpha = problem.penalties["low_rank"].alpha  # type: ignore[attr-defined]
    gap = max(gap, 0.0) / scale
    return Solution(
        blocks=at.blocks,
        coefs=problem.structure.assemble(at.blocks),
        objective=at.smooth + alpha * norm,
        violation=_violation(problem, at, vectors) if tol < _SEARCHING else np.nan,
        status=Status.SOLVED if gap <= tol else Status.MAX_ITER,
        certificate="global",
        solver=name,
        n_iter=n_iter,
        gap=gap,
    )


def _violation(problem: Problem, at: Point, vectors: tuple[np.ndarray, np.ndarray] | None) -> float:
    G = problem.structure.adjoint(at.risk_gradient, at.blocks)
    residual = {b: problem.penalties[b].residual(B, G[b]) for b, B in at.rest.items()}
    penalty = problem.penalties["low_rank"]
    if vectors is None:
        residual["low_rank"] = penalty.residual(at.L, G["low_rank"])
    else:
        residual["low_rank"] = penalty.residual_at(*vectors, G["low_rank"])  # type: ignore[attr-defined]
    return problem.violation(at.blocks, residual)
