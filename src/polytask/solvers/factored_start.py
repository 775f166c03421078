"""Where Newton's steps in L = B C' begin."""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import singular_above, soft_threshold
from polytask.solvers.factored_run import WEAK
from polytask.solvers.factored_squares import GramModel, GramPoint

__all__ = ["start_point"]

_EVEN = 30.0  # condition of the average task up to which, at high rank, a proximal method is faster
_START_STEPS = 15  # proximal steps on the average task, for a first L


def start_point(
    model: GramModel, alpha: float, L: np.ndarray, C: np.ndarray | None = None
) -> GramPoint | None:
    """The point with directions C, or those of L, or first ones; None where they are no saving."""
    if C is None:
        C = _factors(L)[1] if L.any() else first_directions(model, alpha)[1]
    if 2 * C.shape[1] > min(L.shape) and _even(model):
        return None
    return model.start(L, C, alpha)


def _even(model: GramModel) -> bool:
    """Whether the average task is well conditioned; of sparse rows too little is known."""
    return model.turn is not None and bool(model.values[-1] < _EVEN * model.values[0])


def first_directions(model: GramModel, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """B and C of the optimum with every task's curvature replaced by the average task's.

    A problem of size min(m, d) × d, whatever the number of rows: in the basis of the gradient's
    left singular vectors nothing else changes.
    """
    square = model.gradient_at_zero
    turn = None
    if square.shape[0] > square.shape[1]:
        turn, square = np.linalg.qr(square)
    L = np.zeros_like(square)
    point, t = L, 1.0
    top = max(float(model.values.max()), 1e-300)
    for _ in range(_START_STEPS):
        new = soft_threshold(point - (square + model.average(point)) / top, alpha / top).matrix
        t_next = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        point = new + (t - 1.0) / t_next * (new - L)
        L, t = new, t_next
    B, C = _factors(L)
    return (B if turn is None else turn @ B), C


def _factors(L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    U, s, V = singular_above(L, 0.0)
    keep = s > WEAK * s.max(initial=0.0)
    root = np.sqrt(s[keep])
    return U[:, keep] * root, V[:, keep] * root
