"""The factored form of squares: heads and rest of every task in closed form."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from polytask.algebra.restricted import restrict
from polytask.penalties.spectral import spectral_norm
from polytask.solvers.factored.model import AverageTask, RestColumns
from polytask.solvers.factored.truncated_newton import Direction
from polytask.solvers.norms.squares import Squares, gap_of_squares
from polytask.structures import Blocks

__all__ = ["GramModel", "GramPoint", "Look"]


class Look(NamedTuple):
    """What Gram matrices say at L = B C'.

    ``slope`` (m, p) is the gradient in Theta and ``rest`` the best rest, both as changes from
    L = 0; ``smooth`` is F(L), ``gap`` the duality gap.
    """

    B: np.ndarray
    C: np.ndarray
    L: np.ndarray
    slope: np.ndarray
    rest: Blocks
    smooth: float
    gap: float


class GramModel(AverageTask):
    """Squares about the optimum for L = 0, where the gradient in the rest is zero.

    F(L) = F(0) + ⟨g, L⟩ + min over changes of the rest of ½⟨Theta, H Theta⟩ + q: no digit of the
    target's mean or of what the intercepts explain is lost.
    """

    def __init__(self, F: Squares) -> None:
        self.F, self.gradient_at_zero = F, F.gradient_at_zero
        self.columns = RestColumns(F.structure.rest, F.penalties, F.rest_at_zero, F.data)
        self.set_average(F)

    def curvature_along(self, V: np.ndarray) -> np.ndarray:
        """V'Hv of the average task for every column v, shape (k,)."""
        if self.turn is not None:
            return super().curvature_along(V)
        f = self.F.data.design.X[:, : len(V)] @ V  # the diagonal says little of words that meet
        index = self.F.data.design.index
        f = f if index is None else f[index]
        curvature: np.ndarray = self.F.v @ (f * f) / self.n_tasks
        return curvature

    def look(self, B: np.ndarray, C: np.ndarray, alpha: float) -> Look:
        """F and the gap at B C', whose trace norm is at most ½‖B‖² + ½‖C‖²."""
        L, norm = B @ C.T, _half_squares(B, C)
        slope, rest = self.F.change(L)
        g = slope[:, : L.shape[1]] + self.gradient_at_zero
        smooth = self.F.value(L, g)
        gap = gap_of_squares(smooth, float(np.vdot(L, g)), norm, alpha, spectral_norm(g))
        return Look(B, C, L, slope, rest, smooth, gap)

    def start(self, L: np.ndarray, C: np.ndarray, alpha: float) -> GramPoint:
        """The point with directions C: heads and own parts are the best there."""
        common = np.zeros(len(self.columns.common))
        if len(common) and L.any():
            common = self.columns.common_of(self.F.gradient(L)[1])
        return GramPoint(self, C, common, alpha)


class GramPoint:
    """Directions C and the common part; heads B and own parts are solved for."""

    def __init__(self, model: GramModel, C: np.ndarray, common: np.ndarray, alpha: float) -> None:
        self.model, self.C, self.common, self.alpha = model, C, common, alpha
        k, rest, g0 = C.shape[1], model.columns, model.gradient_at_zero
        self.k = k
        Z = self.Z = rest.padded(C)
        self.H = restrict(model.F.curvature, model.F.data.design, model.F.v, Z)
        A = self.H.square.copy()
        np.einsum("bii->bi", A)[:] += rest.ridge(k, alpha)
        self.inverse = np.linalg.inv(A)
        theta = np.zeros((len(g0), rest.p))
        rhs = np.zeros(A.shape[:2])
        slope = rhs[:, :k] = g0 @ C
        image: np.ndarray | float = 0.0
        if len(common):
            theta[:, rest.common] = common
            image = self.H.image(theta)
            rhs += self.H.force(image)
        self.local = -_each(self.inverse, rhs)
        self.B = self.local[:, :k]
        self.q = self.H.whole(self.H.plus(image, self.local))
        self.g = self.q[:, : len(C)] + g0
        theta += self.local @ Z.T
        own = self.local[:, k:]
        twice = float(np.vdot(theta, self.q)) + float(rest.common_ridge @ common**2)
        twice += float((own**2).sum(axis=0) @ rest.own_ridge)
        self.smooth = model.F.value_at_zero + float(np.vdot(slope, self.B)) + 0.5 * twice
        self.norm = _half_squares(self.B, C)  # at least ‖L‖_*
        self.value = self.smooth + alpha * self.norm

    @cached_property
    def squares(self) -> np.ndarray:
        """Squared singular values of the gradient, the largest last, of the smaller Gram matrix."""
        g = self.g
        values: np.ndarray = np.linalg.eigvalsh(g @ g.T if g.shape[0] < g.shape[1] else g.T @ g)
        return np.maximum(values, 0.0)

    def gap(self, top: float) -> float:
        """Duality gap where ‖g‖_2 = top."""
        slope = float(np.vdot(self.g @ self.C, self.B))
        return gap_of_squares(self.smooth, slope, self.norm, self.alpha, top)

    def with_directions(self, C: np.ndarray) -> GramPoint:
        """Other directions; heads are found anew."""
        return GramPoint(self.model, C, self.common, self.alpha)

    def reached(self, step: Direction) -> tuple[np.ndarray, np.ndarray]:
        """B and C after a step, where heads follow to first order."""
        return self.B + self._response(step, False)[1][:, : self.k], self.C + step.C

    def moved(self, step: Direction, size: float) -> GramPoint:
        """A step in C and the common part."""
        C, common = self.C + size * step.C, self.common + size * step.common
        return GramPoint(self.model, C, common, self.alpha)

    def descent(self, convex: bool) -> Direction:
        """Minus the gradient in C and the common part, heads at their best."""
        common = self._common_part(self.q, self.common)
        return Direction(-(self.g.T @ self.B) - self.alpha * self.C, -common)

    def product(self, step: Direction, convex: bool) -> Direction:
        """The Hessian in C and the common part, times a step: heads follow it."""
        k, d = self.k, len(self.C)
        image, local = self._response(step, convex)
        q = self.H.whole(self.H.plus(image, local))
        C = q[:, :d].T @ self.B + self.alpha * step.C
        if not convex:
            C += self.g.T @ local[:, :k]
        return Direction(C, self._common_part(q, step.common))

    def _common_part(self, q: np.ndarray, common: np.ndarray) -> np.ndarray:
        """What H Theta = q is in the common part, with its ridge."""
        rest = self.model.columns
        if not len(common):  # most often, and as slow as with some
            return common
        total: np.ndarray = q[:, rest.common].sum(axis=0) + rest.common_ridge * common
        return total

    def _response(self, step: Direction, convex: bool) -> tuple[Any, np.ndarray]:
        """The image of the step alone, and how heads and own parts follow."""
        d, rest = len(self.C), self.model.columns
        theta = self.B @ step.C.T
        if rest.p > d:
            theta = np.hstack([theta, np.zeros((len(theta), rest.p - d))])
        if len(step.common):
            theta[:, rest.common] += step.common
        image = self.H.image(theta)
        force = self.H.force(image)
        if not convex:
            force[:, : self.k] += self.g @ step.C
        return image, -_each(self.inverse, force)


def _half_squares(B: np.ndarray, C: np.ndarray) -> float:
    return 0.5 * float(np.vdot(B, B) + np.vdot(C, C))


def _each(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A_i x_i in every task."""
    product: np.ndarray = (A @ x[:, :, None])[:, :, 0]
    return product
