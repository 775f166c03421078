"""What is solved for exactly beside what a norm sees: intercepts, and w0 where it is split off.

For squares the rest u has a closed form given L, so every method sees a function of L alone,

    F(L) = min_u ½ sum_k v_k (z_k - x_k'(l_i + u_i))² + q(u),

whose gradient in L is that of the sum at the best u (envelope theorem), and whose curvature is
never larger. Intercepts that are far from zero then cost no iterations.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from polytask.algebra.arrow import factor_arrow
from polytask.algebra.curvature import Curvature
from polytask.data import TaskData
from polytask.penalties import Ridge
from polytask.structures import Blocks, CommonDeviation

__all__ = ["Rest", "make_rest", "only_levels", "predict_rest"]


class Rest(Protocol):
    """The exact minimization over u."""

    def solve(self, T: np.ndarray) -> Blocks:
        """The step u (blocks) that minimizes ⟨T, u⟩ + ½⟨u, H u⟩ + q(u), for a gradient T (m, p)."""
        ...


class NoRest:
    """Nothing beside L."""

    def solve(self, T: np.ndarray) -> Blocks:
        """Empty blocks."""
        return {"common": np.zeros(0), "deviation": np.zeros((len(T), 0))}


class InterceptRest:
    """b_i = b0 + Δb_i with strength a on Δb: two divisions a task.

    With n_i = sum v and r_i = -T_i/n_i the best free intercept, the best b_i is the mean of r_i
    and b0 with weights n_i and 2a, and b0 the mean of the r_i with weights 2a n_i / (n_i + 2a).
    """

    def __init__(self, mass: np.ndarray, strength: float) -> None:
        self.mass, self.strength = mass, strength

    @property
    def held(self) -> np.ndarray:
        """Curvature in each task's own intercept, were b0 to stand still, shape (m,)."""
        held = self.mass + 2.0 * self.strength
        return np.where(held > 0, held, 1.0)

    def solve(self, T: np.ndarray) -> Blocks:
        """b0 and Δb."""
        n, double = self.mass, 2.0 * self.strength
        rows = n > 0
        r = np.where(rows, -T[:, -1] / np.where(rows, n, 1.0), 0.0)
        weight = n if double == 0 else double * n / (n + double)
        level = float(weight @ r) / float(weight.sum())
        own = np.where(rows, n * (r - level) / (n + double + ~rows), 0.0)
        return {"common": np.array([level]), "deviation": own[:, None]}


class ArrowRest:
    """Any common part and deviations with quadratic penalties: the block-arrow factorization."""

    def __init__(self, data: TaskData, v: np.ndarray, rest: CommonDeviation,
                 common: Ridge, deviation: Ridge, grams: np.ndarray | None) -> None:  # fmt: skip
        self.rest = rest
        self.factor = factor_arrow(
            data.design, v, rest, 2.0 * common.strength, 2.0 * deviation.strength, grams
        )

    def solve(self, T: np.ndarray) -> Blocks:
        """Blocks of the exact step."""
        step = self.factor.solve(self.rest.adjoint(T, {}))
        return {name: -value for name, value in step.items()}


def make_rest(
    data: TaskData, v: np.ndarray, rest: CommonDeviation, common: Ridge, deviation: Ridge,
    curvature: Curvature,
) -> Rest:  # fmt: skip
    """The cheapest exact minimization for this rest."""
    c, k = int(rest.common.sum()), int(rest.deviation.sum())
    if c == k == 0:
        return NoRest()
    if c == k == 1 and common.strength[0] == 0 and rest.common[-1] and rest.deviation[-1]:
        mass = np.bincount(data.code, v, minlength=data.n_tasks)
        return InterceptRest(mass, float(deviation.strength[0]))
    return ArrowRest(data, v, rest, common, deviation, curvature.grams)


def only_levels(data: TaskData, rest: CommonDeviation) -> bool:
    """Whether the rest is intercepts on a column of ones, which need no pass over the rows."""
    if not data.intercept or (rest.common | rest.deviation)[:-1].any():
        return False
    return data.design.ends_in_ones  # not so where moments stand for rows


def predict_rest(data: TaskData, rest: CommonDeviation, u: Blocks) -> np.ndarray:
    """F of the rest alone, shape (N,)."""
    theta = rest.assemble(u)
    if only_levels(data, rest):
        level: np.ndarray = theta[:, -1][data.code]
        return level
    if not (rest.common | rest.deviation).any():
        return np.zeros(len(data.y))
    return data.design.predict(theta)
