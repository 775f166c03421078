"""Where Newton's steps in L = B C' begin."""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import singular_above
from polytask.solvers.factored.run import WEAK
from polytask.solvers.factored.squares import GramModel, GramPoint
from polytask.solvers.norms.fista import fista

__all__ = ["start_point"]

_EVEN = 30.0  # condition of the average task up to which, at high rank, a proximal method is faster
_FEW = 12  # directions at most, for which a Newton step's systems cost next to nothing
_START_STEPS = 30  # proximal steps at most, for a first L
_START_GAP = 1e-3  # and the gap, of the objective at L = 0, that is enough


def start_point(
    model: GramModel, alpha: float, L: np.ndarray, C: np.ndarray | None = None
) -> GramPoint | None:
    """The point with directions C, or those of L; None where they are no saving."""
    if C is None:
        if not L.any():
            L = fista(model.F, alpha, L, _START_GAP * model.F.value_at_zero, _START_STEPS)[0]
        C = _factors(L)[1]
    if 2 * C.shape[1] > min(L.shape) > _FEW and _even(model):
        return None
    return model.start(L, C, alpha)


def _even(model: GramModel) -> bool:
    """Whether the average task is well conditioned; of sparse rows too little is known."""
    return model.turn is not None and bool(model.values[-1] < _EVEN * model.values[0])


def _factors(L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    U, s, V = singular_above(L, 0.0)
    keep = s > WEAK * s.max(initial=0.0)
    root = np.sqrt(s[keep])
    return U[:, keep] * root, V[:, keep] * root
