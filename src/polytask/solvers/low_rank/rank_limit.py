"""R + alpha rank(L), rank(L) <= r, and alpha ‖L‖_* with a limit on the rank: stationary points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import ClassVar

import numpy as np

from polytask.data.kept import kept
from polytask.penalties import Rank, TraceNorm
from polytask.penalties.spectral import canonical_svd, numerical_rank
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver
from polytask.solvers.facts import LIMIT, RIDGES, ROWS, SPECTRAL, Need, rank_of
from polytask.solvers.low_rank.alternating import (
    Factored,
    alternate,
    best_of,
    everything,
    status_of,
    wanted,
)
from polytask.solvers.low_rank.heads import FreeHeads, Heads, TraceHeads, slope_bound
from polytask.solvers.low_rank.own_basis import hidden_gain, in_own_basis, on_features
from polytask.solvers.low_rank.starts import extended, principal, starting_directions
from polytask.solvers.norms.profile import duality_gap, profile, rest_facts, zero_profile
from polytask.solvers.norms.road import solve_convex
from polytask.structures import Blocks

__all__ = ["RankLimit", "fixed_rank", "rank_fits"]

_PROX_ROUNDS = 5


class RankLimit(Solver):
    """Non-convex low-rank problems by Newton steps and alternation from several starts.

    With the penalty alpha rank(L) a fit of every rank r that can pay (alpha r below the best
    objective so far) is made from the fit of rank r - 1 and the steepest missing direction, from
    the convex path, from the tasks' ridge fits and at random; the best rank wins, and a proximal
    step with hard-thresholded singular values must not improve on it.
    """

    name: ClassVar[str] = "rank steps"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SPECTRAL, LIMIT, RIDGES)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Steps to a violation of ``tol``; see `wanted`."""
        penalty = rank_of(problem)
        most = min(problem.data.n_tasks, problem.data.n_features)
        limit = most if penalty.max_rank is None else min(penalty.max_rank, most)
        if penalty.spectral == "values":
            return _limited_trace(problem, penalty.alpha, limit, start, tol, max_iter)
        return _best_rank(problem, penalty.alpha, limit, tol, max_iter)


def _limited_trace(
    problem: Problem, alpha: float, limit: int, start: Blocks | None, tol: float, max_iter: int
) -> Solution:
    """The convex optimum where its rank obeys the limit; else the best of steps from it and others.

    A singular value that the convex method has left on its way to zero is counted, and the factors
    may then end at the convex optimum after all: a duality gap says so.
    """
    free = replace(problem, penalties={**problem.penalties, "low_rank": TraceNorm(alpha)})
    convex = solve_convex(free, start, tol, max(max_iter, 1000))
    _, s, Vt = canonical_svd(convex.blocks["low_rank"])
    if (s > 0).sum() <= limit:
        return convex
    starts = chain([Vt[:limit]], starting_directions(problem, limit, tol))
    best = best_of(problem, TraceHeads(alpha, limit), starts, wanted(tol), max_iter, always=2)
    found = _solution(problem, best, limit, tol, max_iter)
    if numerical_rank(np.linalg.norm(best.heads.A, axis=0)) == limit:
        return found
    at, zero = profile(free, best.L, best.rest), zero_profile(free).smooth
    gap = max(duality_gap(free, at, TraceNorm(alpha).value(at.L)), 0.0) / zero
    return replace(found, gap=gap, certificate="global") if gap <= tol else found


def _best_rank(problem: Problem, alpha: float, limit: int, tol: float, max_iter: int) -> Solution:
    turned = in_own_basis(problem)
    if turned is not None:
        least = min(limit, turned[1].shape[1])
        return on_features(problem, turned[1], _best_rank(turned[0], alpha, least, tol, max_iter))
    if alpha == 0.0:  # the limit alone: no smaller rank can win
        fits = _kept(problem, tol)
        if limit not in fits:
            smaller = fits[max(r for r in fits if r < limit)]
            fits[limit] = fixed_rank(problem, limit, smaller, tol, max_iter)
        return _solution(problem, fits[limit], limit, tol, max_iter)
    fits = rank_fits(problem, limit, tol, max_iter, alpha)
    best = min(fits, key=lambda r: (fits[r].objective + alpha * r, r))
    for _ in range(_PROX_ROUNDS):
        moved = _hard_threshold(problem, alpha, limit, fits[best])
        if moved is None:
            break
        found = alternate(problem, _free(problem), moved, wanted(tol), max_iter)
        rank = len(moved)
        if found.objective + alpha * rank >= fits[best].objective + alpha * best:
            break
        fits[rank], best = found, rank
    return _solution(problem, fits[best], best, tol, max_iter)


def rank_fits(
    problem: Problem, limit: int, tol: float, max_iter: int, alpha: float = 0.0
) -> dict[int, Factored]:
    """The best fit found of every rank 0, 1, ... up to ``limit`` that can pay at ``alpha``."""
    turned = in_own_basis(problem)
    problem = problem if turned is None else turned[0]
    limit = min(limit, problem.data.n_features)
    fits = _kept(problem, tol)
    for r in range(1, limit + 1):
        best = min(fits[s].objective + alpha * s for s in range(r))
        if alpha * r >= best:
            return {s: fits[s] for s in range(r)}
        if r not in fits:
            fits[r] = fixed_rank(problem, r, fits[r - 1], tol, max_iter)
    return {s: fits[s] for s in range(limit + 1)}


def _kept(problem: Problem, tol: float) -> dict[int, Factored]:
    """Fits of this problem by rank, kept for as long as its data live: a path asks again."""
    facts = (tol, _free(problem), *rest_facts(problem))
    return kept(problem.data, ("rank fits", *facts), lambda: {0: _nothing(problem)})


def fixed_rank(problem: Problem, r: int, smaller: Factored, tol: float, max_iter: int) -> Factored:
    """The best of several starts for rank(L) <= r; the first extends the fit of rank r - 1."""
    data, model = problem.data, _free(problem)
    if r == 0:
        return smaller
    if r >= min(data.n_tasks, data.n_features):  # no limit: one exact fit on all features
        return everything(problem, model, r)
    starts: Iterable[np.ndarray] = starting_directions(problem, r, tol)
    if len(smaller.V):
        gradient = profile(problem, smaller.L, smaller.rest).gradient
        starts = chain([extended(smaller.V, gradient, r)], starts)
    return best_of(problem, model, starts, wanted(tol), max_iter, always=2 if len(smaller.V) else 1)


def _free(problem: Problem) -> FreeHeads:
    return FreeHeads(rank_of(problem).ridge)


def _hard_threshold(problem: Problem, alpha: float, limit: int, at: Factored) -> np.ndarray | None:
    """Directions after a proximal step of R + alpha rank; None where it lowers nothing."""
    here = profile(problem, at.L, at.rest)
    curvature = problem.loss.null_curvature(problem.data.y, problem.data.weight)
    bound = curvature * _largest_eigenvalue(problem)
    model = _free(problem)
    L = Rank(alpha, limit, model.ridge).prox(at.L - here.gradient / bound, 1.0 / bound)
    rank = int(np.linalg.matrix_rank(L))
    if rank == np.linalg.matrix_rank(at.L) or rank == 0:
        return None
    moved = (
        profile(problem, L, here.rest).smooth + alpha * rank + model.ridge * float((L * L).sum())
    )
    return principal(L, rank) if moved < at.objective + alpha * len(at.V) else None


def _largest_eigenvalue(problem: Problem) -> float:
    """A bound on the tasks' largest curvature: the trace of their slopes' Gram matrices."""
    norms = problem.data.design.column_norms(problem.data.weight)
    return max(float((norms**2).sum(axis=1).max()), 1e-300)


def _nothing(problem: Problem) -> Factored:
    zero = zero_profile(problem)
    empty = np.zeros((0, problem.data.n_features))
    heads = Heads(np.zeros((problem.data.n_tasks, 0)), zero.rest)
    return Factored(empty, heads, zero.smooth, 0.0, [zero.smooth])


def _solution(problem: Problem, found: Factored, limit: int, tol: float, max_iter: int) -> Solution:
    blocks = {"low_rank": found.L, **found.rest}
    everything = limit >= min(problem.data.n_tasks, problem.data.n_features)
    convex = rank_of(problem).alpha == 0 and everything
    objective, residual = found.measured(problem, blocks)
    penalty, left = rank_of(problem), residual["low_rank"]
    violation = _violation(problem, blocks, residual)
    bend = 2.0 * getattr(penalty, "ridge", 0.0)
    if penalty.spectral == "values":
        bend += penalty.alpha / max(float(np.linalg.norm(found.L, 2)), 1e-300)
    hidden = hidden_gain(problem, left, bend, bend)
    return Solution(
        blocks=blocks,
        coefs=problem.structure.assemble(blocks),
        objective=objective,
        violation=violation,
        status=status_of(violation, wanted(tol), found, max_iter, hidden),
        certificate="global" if convex else "stationary",
        solver=RankLimit.name,
        n_iter=found.n_iter,
    )


def _violation(problem: Problem, blocks: Blocks, residual: Blocks) -> float:
    """Largest residual, that of L in the unit of `slope_bound`."""
    slopes = np.abs(residual.pop("low_rank")) / slope_bound(problem)
    return max(float(slopes.max(initial=0.0)), problem.violation(blocks, residual))
