"""F(L): a weighted sum of squares as a function of the low-rank part alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from polytask.algebra.curvature import make_curvature
from polytask.data import TaskData
from polytask.penalties import Penalty
from polytask.penalties.spectral import spectral_norm
from polytask.solvers.norms.rest import make_rest, predict_rest
from polytask.structures import Blocks, LowRankPlus

if TYPE_CHECKING:
    from polytask.solvers.norms.profile import Profile

__all__ = ["Squares", "gap_of_squares", "squares_gap"]


class Squares:
    """F(L) = min_u ½ sum_k v_k (z_k - x_k'(l_i + u_i))² + q(u), quadratic in L (m, d).

    Parameters
    ----------
    data : TaskData
    structure : LowRankPlus
    penalties : mapping
        q: ridges on the blocks ``common`` and ``deviation``.
    v, z : ndarray of shape (N,)
        Curvature and working target of every observation.
    constant : bool
        Whether v is the data's weight, so that Gram matrices may be kept over fits.
    zero : Profile, optional
        What residuals say at L = 0, where it is at hand.
    """

    def __init__(
        self, data: TaskData, structure: LowRankPlus, penalties: Mapping[str, Penalty],
        v: np.ndarray, z: np.ndarray, constant: bool, zero: Profile | None = None,
    ) -> None:  # fmt: skip
        self._data = ref(data)  # squares are kept for as long as the data live, and no longer
        self.structure, self.penalties, self.v, self.z = structure, penalties, v, z
        self.curvature = make_curvature(data, v, constant)
        common, deviation = penalties["common"], penalties["deviation"]
        rest = structure.rest
        self.rest = make_rest(data, v, rest, common, deviation, self.curvature)  # type: ignore[arg-type]
        touched = rest.common | rest.deviation
        self._level = self.curvature.last_column() if touched[-1:].any() else None
        self._slopes_too = bool(touched[: structure.n_features].any())
        if zero is None:
            self.rest_at_zero = self.rest.solve(-self.moment)
            self.slope_at_zero = self._with_rest(-self.moment, self.rest_at_zero)
            f = predict_rest(data, rest, self.rest_at_zero)
            penalty = self.rest_penalty(self.rest_at_zero)
            self.value_at_zero = 0.5 * float(v @ (z - f) ** 2) + penalty
        else:
            self.rest_at_zero, self.slope_at_zero = zero.rest, zero.risk_gradient
            self.value_at_zero = zero.smooth
        self.gradient_at_zero = self.slope_at_zero[:, : structure.n_features]

    @property
    def data(self) -> TaskData:
        """The data, for as long as somebody else holds them."""
        data = self._data()
        assert data is not None
        return data

    @cached_property
    def moment(self) -> np.ndarray:
        """sum_k v_k z_k x_k in each task, shape (m, p)."""
        return self.data.design.adjoint(self.v * self.z)

    def rest_penalty(self, u: Blocks) -> float:
        """q(u)."""
        return sum(self.penalties[name].value(u[name]) for name in ("common", "deviation"))

    def gradient(self, L: np.ndarray) -> tuple[np.ndarray, Blocks]:
        """Gradient of F (m, d), and the best rest u."""
        T, step = self.change(L)
        u = {name: self.rest_at_zero[name] + step[name] for name in step}
        return T[:, : self.structure.n_features] + self.gradient_at_zero, u

    def change(self, L: np.ndarray) -> tuple[np.ndarray, Blocks]:
        """What L changes at zero: the sum's gradient in Theta (m, p), and the best rest."""
        theta = np.zeros_like(self.slope_at_zero)
        theta[:, : self.structure.n_features] = L
        T = self.curvature.apply(theta)
        step = self.rest.solve(T)
        return self._with_rest(T, step), step

    def _with_rest(self, T: np.ndarray, u: Blocks) -> np.ndarray:
        if self._slopes_too:
            return T + self.curvature.apply(self.structure.rest.assemble(u))
        return T if self._level is None else T + self._level * (u["common"] + u["deviation"])

    def value(self, L: np.ndarray, g: np.ndarray) -> float:
        """F(L), where g is the gradient at L."""
        return self.value_at_zero + 0.5 * float((L * (g + self.gradient_at_zero)).sum())

    def largest_curvature(self, iterations: int = 5) -> float:
        """About the largest eigenvalue of F's Hessian, from below, by power iterations."""
        theta = np.zeros_like(self.slope_at_zero)
        theta[:, : self.structure.n_features] = np.random.default_rng(0).normal(
            size=(1, self.structure.n_features)
        )
        value = 0.0
        for _ in range(iterations):
            theta /= np.maximum(np.linalg.norm(theta, axis=1, keepdims=True), 1e-300)
            theta = self.curvature.apply(theta)
            theta[:, self.structure.n_features :] = 0.0
            value = float(np.linalg.norm(theta, axis=1).max(initial=0.0))
        return value


def squares_gap(F: Squares, L: np.ndarray, g: np.ndarray, norm: float, alpha: float) -> float:
    """Duality gap of F(L) + alpha ‖L‖_* at L with gradient g and ‖L‖_* = norm."""
    slope = float((L * g).sum())
    return gap_of_squares(F.value(L, g), slope, norm, alpha, spectral_norm(g))


def gap_of_squares(value: float, slope: float, norm: float, alpha: float, top: float) -> float:
    """Duality gap from F(L), ⟨L, gradient⟩, ‖L‖_*, alpha and the gradient's spectral norm.

    The dual point is the residuals times the s in [0, alpha/top] that is best:
    gap = (1 - s)² F(L) + s ⟨L, g⟩ + alpha ‖L‖_*.
    """
    value, most = max(value, 0.0), alpha / max(top, 1e-300)
    best = 1.0 - slope / (2.0 * value) if value > 0 else most
    s = min(max(best, 0.0), most)
    return (1.0 - s) ** 2 * value + s * slope + alpha * norm
