"""Norms that go feature by feature, on the few features that matter: far more features than kept.

A problem on some features is solved by whichever method is faster there; one pass over the rows
then says what the duality gap of all of them is, and which others the optimum would keep. The
largest of those join, until the gap is small (Massias, Gramfort and Salmon, Celer, ICML 2018).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, cast

import numpy as np

from polytask.data import Design
from polytask.penalties import FeatureWise, Penalty
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, fits
from polytask.solvers.facts import FEATUREWISE, NORMS, RIDGES, ROWS, SLOPES, Need, slopes_of
from polytask.solvers.norms.outer import solution_at, zero_is_best
from polytask.solvers.norms.parts import norm_of, stacked, unstacked
from polytask.solvers.norms.profile import Profile, duality_gap, profile, share_zero, zero_profile
from polytask.solvers.norms.road import solve_convex
from polytask.structures import Blocks, CommonDeviation, SlopesPlus

__all__ = ["WorkingSet", "solve_wide"]

_MANY = 500  # features from which a set of them is worth its passes
_FIRST = 100  # features that join at once, at least
_ROUNDS = 50
_CLOSER = 0.1  # share of the last gap to which a set is solved


class WorkingSet(Solver):
    """Solve on some features, look at all, let more join: where features are many."""

    name: ClassVar[str] = "working set"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, RIDGES, NORMS, FEATUREWISE)

    def slower(self, problem: Problem) -> bool:
        """Where features are few."""
        return problem.data.n_features < _MANY

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Rounds until the duality gap of all features is below ``tol``."""
        at, norm = zero_profile(problem), norm_of(problem)
        scale = max(at.smooth, np.finfo(float).tiny)
        if zero_is_best(problem):
            return solution_at(problem, at, 0.0, scale, tol, self.name, 0, 0.0)
        blocks = {**unstacked(problem, at.B), **at.rest} if start is None else start
        kept = np.flatnonzero(_lengths(stacked(problem, blocks)))
        gap, n_iter, penalty = scale, 0, 0.0
        for n_round in range(_ROUNDS):
            if n_round or not len(kept):
                wanted = norm.shrink(-np.broadcast_to(at.gradient, at.B.shape), 1.0).matrix
                kept = np.flatnonzero(_lengths(at.B)) if n_round else kept
                kept = _joined(kept, _lengths(wanted))
            few, begin = on_features(problem, kept), _some(problem, blocks, kept)
            closer = max(0.5 * tol, _CLOSER * gap / scale)
            found = solve_convex(few, begin, closer, max_iter - n_iter)
            n_iter += found.n_iter
            at = _whole(problem, profile(few, stacked(few, found.blocks), found.blocks), kept)
            blocks = {**unstacked(problem, at.B), **at.rest}
            penalty = norm.value(at.B)
            gap = duality_gap(problem, at, penalty)
            if gap <= tol * scale or n_iter >= max_iter:
                break
        return solution_at(problem, at, penalty, scale, tol, self.name, n_iter, gap)


def solve_wide(problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
    """Solve by whichever is faster, features many or few."""
    solve = WorkingSet().solve if fits(WorkingSet(), problem) else solve_convex
    return solve(problem, start, tol, max_iter)


def on_features(problem: Problem, kept: np.ndarray) -> Problem:
    """The problem of these features alone, the others' coefficients zero."""
    data, structure, d = problem.data, slopes_of(problem), len(kept)
    columns = np.append(kept, np.arange(data.n_features, data.n_coefs))
    old = data.design
    shift = None if old.shift is None else old.shift[columns]
    design = Design(old.X[:, columns], old.index, old.start, shift)
    rest = CommonDeviation(structure.rest.common[columns], structure.rest.deviation[columns])
    penalties = dict(problem.penalties)
    for b in structure.parts:
        penalties[b] = cast(Penalty, cast(FeatureWise, penalties[b]).on_features(kept))
    some = Problem(
        replace(data, design=design, center=None), problem.loss,
        SlopesPlus(rest, d, structure.parts), penalties,
    )  # fmt: skip
    share_zero(problem, some, columns)
    return some


def _lengths(B: np.ndarray) -> np.ndarray:
    """Length of each feature's coefficients in all tasks and parts, shape (d,)."""
    return np.sqrt(np.einsum("rj,rj->j", *[B.reshape(-1, B.shape[-1])] * 2))


def _joined(kept: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The kept features and the most wanted of the others, at most as many again."""
    others = wanted.copy()
    others[kept] = 0.0
    most = max(_FIRST, len(kept))
    first = np.argpartition(-others, most)[:most] if most < len(others) else np.arange(len(others))
    return np.union1d(kept, first[others[first] > 0])


def _some(problem: Problem, blocks: Blocks, kept: np.ndarray) -> Blocks:
    parts = slopes_of(problem).parts
    return {b: B[:, kept] if b in parts else B for b, B in blocks.items()}


def _whole(problem: Problem, few: Profile, kept: np.ndarray) -> Profile:
    """What a profile on some features is on all: one pass over the rows."""
    data = problem.data
    B = np.zeros((*few.B.shape[:-1], data.n_features))
    B[..., kept] = few.B
    G = problem.risk_gradient(few.f)
    return replace(few, B=B, risk_gradient=G, quadratic=zero_profile(problem).quadratic)
