"""A Newton direction by conjugate gradients, stopped early, at a point of the factored form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Direction", "newton_direction"]

_MOST = 60  # products with the data in a step


@dataclass(frozen=True, eq=False)
class Direction:
    """A step in the directions C and in the common part of the rest."""

    C: np.ndarray
    common: np.ndarray

    def plus(self, size: float, other: Direction) -> Direction:
        """Self + size other."""
        return Direction(self.C + size * other.C, self.common + size * other.common)

    def dot(self, other: Direction) -> float:
        """Inner product."""
        return float(np.vdot(self.C, other.C)) + float(self.common @ other.common)


def newton_direction(at: Any, model: Any, alpha: float, convex: bool, forcing: float) -> Direction:
    """About the minimizer of the second-order model at a point, heads eliminated.

    Preconditioned by the average task: sum_i b_i b_i' ⊗ H_i is about B'B ⊗ the mean of the H_i.
    ``convex`` drops the products of first derivatives, which far from the optimum may point to a
    saddle; what is left is positive definite. A direction of negative curvature ends the search.
    ``forcing`` is the share of the residual that may be left: what the step gains a factor of.
    """
    precondition = model.preconditioner(at, alpha, convex)
    r = at.descent(convex)
    x = Direction(np.zeros_like(r.C), np.zeros_like(r.common))
    z = precondition(r)
    p, rz = z, r.dot(z)
    enough = forcing**2 * rz
    for n in range(_MOST):
        Hp = at.product(p, convex)
        curvature = p.dot(Hp)
        if curvature <= 0:
            return x if n > 0 else p
        x, r = x.plus(rz / curvature, p), r.plus(-rz / curvature, Hp)
        z = precondition(r)
        before, rz = rz, r.dot(z)
        if rz <= max(enough, 0.0):
            break
        p = z.plus(rz / before, p)
    return x
