"""Accelerated proximal gradient with restarts, for the trace norm."""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import Thresholded, soft_threshold
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.norms.squares import Squares, squares_gap
from polytask.solvers.norms.trace_norm import solve_trace, why_not_trace
from polytask.structures import Blocks

__all__ = ["Fista", "fista"]

_CHECK_EVERY = 4  # a gap costs a spectral norm, about a third of an iteration


class Fista:
    """Trace norm by accelerated proximal gradient: any shape, also far more features than rows."""

    name = "fista"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply."""
        return why_not_trace(problem)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_trace(problem, fista, self.name, start, tol, max_iter)


def fista(
    F: Squares, alpha: float, start: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, int]:
    """Minimize F(L) + alpha ‖L‖_* until the gap is at most ``tol``.

    F is quadratic, so its gradient at an extrapolated point is the extrapolation of gradients and
    an iteration reads the data once. Momentum restarts where it points uphill (O'Donoghue and
    Candès 2015). The step's curvature grows where a step shows that it was underestimated.
    """
    curvature = max(F.largest_curvature(), 1e-300)
    L, point = start, start
    g, _ = F.gradient(L)
    g_point = g
    t = 1.0
    for n_iter in range(max_iter):
        new = soft_threshold(point - g_point / curvature, alpha / curvature)
        g_new, _ = F.gradient(new.matrix)
        step = new.matrix - point
        needed = _curvature_along(step, g_new - g_point)
        if needed > 1.0001 * curvature:
            curvature = 1.02 * needed
            continue
        if n_iter % _CHECK_EVERY == _CHECK_EVERY - 1 and _done(F, new, g_new, alpha, tol):
            return new.matrix, n_iter + 1
        move, g_move = new.matrix - L, g_new - g
        t_next = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        uphill = float((step * move).sum()) < 0
        t_next, share = (1.0, 0.0) if uphill else (t_next, (t - 1.0) / t_next)
        L, g, t = new.matrix, g_new, t_next
        point, g_point = L + share * move, g + share * g_move
    return L, max_iter


def _curvature_along(step: np.ndarray, change: np.ndarray) -> float:
    length = float((step * step).sum())
    return float((step * change).sum()) / length if length > 0 else 0.0


def _done(F: Squares, new: Thresholded, g: np.ndarray, alpha: float, tol: float) -> bool:
    return squares_gap(F, new.matrix, g, float(new.singular_values.sum()), alpha) <= tol
