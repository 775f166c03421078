"""Accelerated proximal gradient with restarts, for any norm."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from polytask.penalties import Norm
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver
from polytask.solvers.facts import NORMS, RIDGES, ROWS, SLOPES, Need
from polytask.solvers.norms.outer import solve_norm
from polytask.solvers.norms.squares import Squares, squares_gap
from polytask.structures import Blocks

__all__ = ["ProximalGradient", "fista"]

_CHECK_EVERY = 4  # a gap may cost a spectral norm, about a third of an iteration


class ProximalGradient(Solver):
    """Any norm by accelerated proximal gradient: any shape, also far more features than rows."""

    name: ClassVar[str] = "proximal gradient"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, RIDGES, NORMS)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_norm(problem, fista, self.name, start, tol, max_iter)


def fista(
    F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, int]:
    """Minimize F(B) + norm(B) until the gap is at most ``tol``: B, iterations.

    F is quadratic, so its gradient at an extrapolated point is the extrapolation of gradients and
    an iteration reads the data once. Momentum restarts where it points uphill (O'Donoghue and
    Candès 2015). The step's curvature grows where a step shows that it was underestimated.
    """
    curvature = max(F.largest_curvature(), 1e-300)
    B, point = start, start
    g, _ = F.gradient(B)
    g_point = g
    t = 1.0
    for n_iter in range(max_iter):
        new, penalty = norm.shrink(point - g_point / curvature, 1.0 / curvature)
        g_new, _ = F.gradient(new)
        step = new - point
        needed = _curvature_along(step, g_new - g_point)
        if needed > 1.0001 * curvature:
            curvature = 1.02 * needed
            continue
        look = n_iter % _CHECK_EVERY == _CHECK_EVERY - 1
        if look and squares_gap(F, new, g_new, penalty, norm) <= tol:
            return new, n_iter + 1
        move, g_move = new - B, g_new - g
        t_next = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        uphill = float((step * move).sum()) < 0
        t_next, share = (1.0, 0.0) if uphill else (t_next, (t - 1.0) / t_next)
        B, g, t = new, g_new, t_next
        point, g_point = B + share * move, g + share * g_move
    return B, max_iter


def _curvature_along(step: np.ndarray, change: np.ndarray) -> float:
    length = float((step * step).sum())
    return float((step * change).sum()) / length if length > 0 else 0.0
