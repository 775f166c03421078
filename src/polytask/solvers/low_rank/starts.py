"""Directions to start from where the problem is not convex."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.compiled import loops
from polytask.penalties import Ridge, TraceNorm
from polytask.penalties.spectral import canonical_svd, numerical_rank
from polytask.problem import Problem
from polytask.solvers.base import Solver, fits
from polytask.solvers.conjugate import ConjugateGradients
from polytask.solvers.facts import ridge_of, slopes_of
from polytask.solvers.low_rank.task_quadratic import task_quadratic
from polytask.solvers.newton import BlockElimination, Newton
from polytask.solvers.norms.profile import zero_factor
from polytask.solvers.norms.road import solve_convex
from polytask.structures import Blocks, CommonDeviation

__all__ = [
    "SEARCHING",
    "convex_path",
    "extended",
    "principal",
    "ridge_slopes",
    "starting_directions",
]

_SHARES = (0.3, 0.1, 0.03, 0.01)  # of the alpha at which L is zero
_TOL = 1e-3  # relative duality gap, or violation: enough for directions
SEARCHING = 1e-5  # tolerance from which a fit only serves to compare strengths
_RIDGE = 1e-3  # of the mean curvature
_CLEAR = 1e-6  # of the largest, squares of singular values that squares tell from rounding


def starting_directions(problem: Problem, k: int, tol: float) -> Iterator[np.ndarray]:
    """Several V (k, d): of the tasks' ridge fits, at random, and of the convex path.

    ``problem`` has the structure `SlopesPlus`; its penalty on L is not used. A search for
    strengths, which asks for little accuracy (``tol``), has the first start only.
    """
    yield principal(ridge_slopes(problem), k)
    if tol > SEARCHING:
        return
    rng = np.random.default_rng(0)  # the starts are part of the method's definition
    d = problem.data.n_features
    present = problem.data.column_norms[:, :d].max(axis=0) > 0  # no row has the others
    yield np.linalg.qr(rng.normal(size=(d, k)) * present[:, None])[0].T
    for L in convex_path(problem):
        if numerical_rank(np.linalg.svd(L, compute_uv=False)) >= k:
            break
    yield principal(L, k)


def principal(L: np.ndarray, k: int) -> np.ndarray:
    """The first k right singular vectors of L, as rows, the largest entry of each positive."""
    wide = L.shape[1] > L.shape[0]
    values, vectors = symmetric_eigen(L @ L.T if wide else L.T @ L)
    if k > len(values) or not values[-k:].min(initial=1.0) > _CLEAR * values[-1:].sum():
        return canonical_svd(L, k)[2]
    V = vectors[:, ::-1][:, :k].T
    if wide:
        V = V @ L / np.sqrt(values[::-1][:k, None])
    sign = np.sign(V[np.arange(k), np.abs(V).argmax(axis=1)])
    return np.asarray(V * sign[:, None])


def ridge_slopes(problem: Problem) -> np.ndarray:
    """L (m, d) of every task alone, with a small ridge; the rest as in the problem."""
    data, rest = problem.data, slopes_of(problem).rest
    d = data.n_features
    Q = task_quadratic(problem)
    if Q is not None and len(Q.t) <= 1:  # Gram matrices are at hand
        mean = max(float(np.einsum("ijj->ij", Q.H).mean()), 1e-300)
        pull = 2 * _RIDGE * mean
        if (compiled := loops("head_steps")) is not None:
            H, s = np.ascontiguousarray(Q.H), np.ascontiguousarray(Q.s)
            return np.asarray(compiled.ridges(H, s, pull))
        slopes: np.ndarray = np.linalg.solve(Q.H + pull * np.eye(d), Q.s[:, :, None])
        return slopes[:, :, 0]
    own = rest.deviation.copy()
    own[:d] = True
    mean = float((data.design.column_norms(data.weight)[:, :d] ** 2).mean())
    mean *= problem.loss.null_curvature(data.y, data.weight)
    strength = np.full(int(own.sum()), _RIDGE * max(mean, 1e-300))
    strength[d:] = ridge_of(problem, "deviation").strength
    ridge = Problem(
        data, problem.loss, CommonDeviation(rest.common, own),
        {"common": problem.penalties["common"], "deviation": Ridge(strength)},
    )  # fmt: skip
    solver: Solver = BlockElimination() if problem.loss.is_quadratic else Newton()
    tol = 1e-6
    if fits(ConjugateGradients(), ridge):  # each digit costs products
        solver, tol = ConjugateGradients(), _TOL
    return solver.solve(ridge, None, tol, 30).blocks["deviation"][:, :d]


def convex_path(problem: Problem) -> Iterator[np.ndarray]:
    """L of trace-norm fits from a strong penalty down, each from the last one's solution."""
    plain = replace(problem, penalties={**problem.penalties, "low_rank": TraceNorm(1.0)})
    top = zero_factor(plain)
    start: Blocks | None = None
    for share in _SHARES:
        convex = replace(plain, penalties={**plain.penalties, "low_rank": TraceNorm(share * top)})
        start = solve_convex(convex, start, _TOL, 300).blocks
        yield start["low_rank"]


def extended(V: np.ndarray, gradient: np.ndarray, k: int) -> np.ndarray:
    """V (r, d) cut to k rows, or joined by the directions in which the gradient is steepest."""
    if len(V) >= k:
        return V[:k]
    rest = gradient - (gradient @ V.T) @ V
    _, s, Vt = np.linalg.svd(rest, full_matrices=False)
    more = Vt[: min(k - len(V), numerical_rank(s))]
    joined = np.vstack([V, more])
    return joined if len(joined) == k else principal(joined, k)
