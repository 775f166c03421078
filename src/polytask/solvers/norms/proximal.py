"""Accelerated proximal gradient with restarts, for any norm."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.data.kept import kept
from polytask.penalties import Coupled, FeatureWise, Norm
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver
from polytask.solvers.facts import NORMS, RIDGES, ROWS, SLOPES, Need
from polytask.solvers.norms.outer import solve_norm
from polytask.solvers.norms.parts import SumOfNorms
from polytask.solvers.norms.squares import Squares, is_within
from polytask.solvers.norms.sweeps import after_sweeps
from polytask.structures import Blocks

__all__ = ["ProximalGradient", "fista", "metric"]

_UNLIKE, _LEAST = 1e3, 1e-12  # curvatures so far apart have steps of their own; least of them
_CHECK_EVERY = 4  # a gap may cost a spectral norm, about a third of an iteration


class ProximalGradient(Solver):
    """Any norm by accelerated proximal gradient: any shape, also far more features than rows."""

    name: ClassVar[str] = "proximal gradient"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, RIDGES, NORMS)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_norm(problem, after_sweeps(fista), self.name, start, tol, max_iter)


def fista(
    F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, int]:
    """Minimize F(B) + norm(B) until the gap is at most ``tol``: B, iterations.

    F is quadratic, so its gradient at an extrapolated point is the extrapolation of gradients and
    an iteration reads the data once. Momentum restarts where it points uphill (O'Donoghue and
    Candès 2015). The step's curvature grows where a step shows that it was underestimated.
    """
    V, unit = _turned(F, norm) or (None, metric(F, norm))
    trace = F.task_diagonal.sum(axis=1).max(initial=0.0)  # levels may leave less than there was
    most = F.largest_curvature()
    curvature = max(min(most, trace), _LEAST * most, 1e-300) if unit is None else 1.0
    scale = np.float64(1.0) if unit is None else unit
    B, point = start, start
    g, _ = F.gradient(B)
    g_point = g
    t = 1.0
    for n_iter in range(max_iter):
        size = 1.0 / (curvature * scale)
        to = point - g_point * size if V is None else V.T @ point - (V.T @ g_point) * size
        left, penalty = norm.shrink(to, cast(float, size))
        new = left if V is None else V @ left
        g_new, _ = F.gradient(new)
        step = new - point
        scaled = scale * step if V is None else V @ (scale * (V.T @ step))
        needed = _curvature_along(step, scaled, g_new - g_point)
        if needed > 1.0001 * curvature:
            curvature = 1.02 * needed
            continue
        look = n_iter % _CHECK_EVERY == _CHECK_EVERY - 1
        if look:
            slopes = (to - left) / size
            slopes = slopes if V is None else V @ slopes
            if is_within(F, new, g_new, penalty, norm, slopes, tol):
                return new, n_iter + 1
        move, g_move = new - B, g_new - g
        t_next = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        uphill = float((scaled * move).sum()) < 0
        t_next, share = (1.0, 0.0) if uphill else (t_next, (t - 1.0) / t_next)
        B, g, t = new, g_new, t_next
        point, g_point = B + share * move, g + share * g_move
    return B, max_iter


def _turned(F: Squares, norm: Norm) -> tuple[np.ndarray, np.ndarray] | None:
    """Turns of the tasks in which what couples them is diagonal, and the curvatures there.

    None where nothing does, or the norm is another one after a turn.
    """
    if not (getattr(norm, "turns", False) and hasattr(F.quadratic, "coupling")):
        return None
    coupled = cast(Coupled, F.quadratic)
    K = coupled.coupling
    values, V = kept(F.data, ("coupling", K.tobytes()), lambda: symmetric_eigen(K))
    unit = F.task_diagonal.mean(axis=0) + 2.0 * coupled.ridge
    unit = unit + 2.0 * np.outer(np.maximum(values, 0.0), coupled.strengths)
    return V, np.maximum(unit, max(_LEAST * unit.max(initial=0.0), 1e-300))


def metric(F: Squares, norm: Norm) -> np.ndarray | None:
    """Curvatures of single coefficients (m, d), or of features (d,), as far as a norm takes steps.

    None where they are alike, or the norm takes one step for all.
    """
    d, parts = F.structure.n_features, norm.norms if isinstance(norm, SumOfNorms) else (norm,)
    wise = [part for part in parts if isinstance(part, FeatureWise)]
    if d == 0 or len(wise) < len(parts) or (F.quadratic and len(parts) > 1):
        return None
    unit = F.task_diagonal
    if F.quadratic is not None:
        unit = unit + F.quadratic.diagonal(np.zeros((len(unit), d)))
    if not all(part.entry_steps for part in wise):
        unit = unit.mean(axis=0)
    unit = np.maximum(unit, _LEAST * unit.max())
    return unit if unit.max() > _UNLIKE * unit.min() else None


def _curvature_along(step: np.ndarray, scaled: np.ndarray, change: np.ndarray) -> float:
    length = float((step * scaled).sum())
    return float((step * change).sum()) / length if length > 0 else 0.0
