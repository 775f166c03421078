"""Features whose price levels off: large coefficients are not shrunk, or less and less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from polytask.penalties.base import Norm
from polytask.penalties.fusion import Fusion
from polytask.penalties.joint import JointFeatures
from polytask.penalties.lasso import Lasso
from polytask.penalties.nested import Nested, PerFeature, with_signs
from polytask.penalties.signs import Signs

__all__ = ["ConcaveFeatures", "Price"]

_REST = 1e-2  # share that stays a norm, so that every stage has a duality gap


@dataclass(frozen=True)
class Price:
    """rho(t) of a length t: it rises with slope one at zero, and then less.

    Parameters
    ----------
    kind : {"mcp", "scad", "capped", "root"}
        How the slope falls to zero: evenly; evenly from the length ``unit`` on; at once; or as
        1 / sqrt(1 + t / end), never quite.
    unit : float
        Length at which coefficients begin to be kept.
    end : float
        Length from which the slope is zero; of a root, one over the square root of two.
    """

    kind: str
    unit: float
    end: float

    def slope(self, t: np.ndarray) -> np.ndarray:
        """Derivative of rho at lengths t."""
        fall = {
            "mcp": lambda: np.clip(1.0 - self._of_end(t), 0.0, 1.0),
            "scad": lambda: np.clip((self.end - t) / (self.end - self.unit), 0.0, 1.0),
            "capped": lambda: (t < self.end).astype(float),
            "root": lambda: 1.0 / np.sqrt(1.0 + self._of_end(t)),
        }[self.kind]()
        return np.asarray((1.0 - _REST) * fall + _REST)

    def _of_end(self, t: np.ndarray) -> np.ndarray:
        """Lengths in those of the end, which may be infinitely many where there is next to none."""
        with np.errstate(over="ignore"):
            return np.asarray(t / self.end)

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """The integral of the slope."""
        if self.kind == "capped":
            level = np.minimum(t, self.end)
        elif self.kind == "root":
            level = 2.0 * t / (np.sqrt(1.0 + self._of_end(t)) + 1.0)
        else:
            turn = self.unit if self.kind == "scad" else 0.0
            inside = np.clip(t, turn, self.end) - turn
            level = np.minimum(t, turn) + inside - inside**2 / (2.0 * (self.end - turn))
        return np.asarray((1.0 - _REST) * level + _REST * t)


@dataclass(frozen=True, eq=False)
class ConcaveFeatures:
    """value(B) = alpha sum_j rho(length_j(B)) + beside(B), rho concave, lengths norms of features.

    Not convex. A hundredth of it stays alpha sum_j length_j.

    Parameters
    ----------
    alpha : float
    price : Price
        rho.
    length : Fusion, Lasso or JointFeatures, tuple of them
        Whose sum with strength one is a feature's length, the innermost first.
    beside : tuple of norms
        What is added, inside of the lengths' norms.
    signs : Signs, optional
        A cone.
    """

    alpha: float
    price: Price
    length: tuple[Fusion | Lasso | JointFeatures, ...] = (JointFeatures(1.0),)
    beside: tuple[Fusion, ...] = ()
    signs: Signs | None = None

    def signed(self, signs: Signs) -> ConcaveFeatures:
        """Within a cone."""
        return replace(self, signs=signs)

    def lengths(self, B: np.ndarray) -> np.ndarray:
        """Of the columns of B (m, d), shape (d,)."""
        return Nested(self.length).per_feature(B)

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        more = sum(norm.per_feature(B) for norm in self.beside)
        return np.asarray(self.alpha * self.price(self.lengths(B)) + more)

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """Zero is stationary where this is at most 1."""
        return self._norm(np.ones(G.shape[1])).dual(G)

    def above(self, B: np.ndarray) -> Norm:
        """The norm that touches the penalty at B, up to a constant, and lies above it."""
        return self._norm(self.price.slope(self.lengths(B)))

    def _norm(self, slope: np.ndarray) -> Norm:
        """At slopes of rho, shape (d,)."""
        weighted = [replace(part, alpha=part.alpha * self.alpha * slope) for part in self.length]
        parts: list[PerFeature] = [*self.beside, *weighted]
        norm = weighted[0] if len(parts) == 1 else Nested(tuple(parts))
        return cast(Norm, norm if self.signs is None else with_signs(norm, self.signs))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.above(B).residual(B, G)
