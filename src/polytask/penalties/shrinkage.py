"""What a norm's shrinkage says of its subdifferential."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from polytask.penalties.base import Shrunk

__all__ = ["Shrinks", "residual_by_shrinkage"]

_STEP = 1e-7  # of the size of B: what is left of its digits is nine of the gradient's


class Shrinks(Protocol):
    """A convex penalty that can be shrunk by."""

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Minimizer over L of ½‖L - B‖_F² + step value(L)."""
        ...


def residual_by_shrinkage(penalty: Shrinks, B: np.ndarray, G: np.ndarray) -> np.ndarray:
    """Element of G + subdifferential(B) nearest to zero, as a short proximal step goes.

    (B - shrink(B - t G, t)) / t lies in the sum at the point that it leads to, and becomes the
    shortest element at B as t goes to zero.
    """
    size, pull = float(np.abs(B).max(initial=0.0)), float(np.abs(G).max(initial=0.0))
    t = _STEP * size / pull if size > 0 and pull > 0 else 1.0
    return np.asarray((B - penalty.shrink(B - t * G, t).matrix) / t)
