"""A norm with a quadratic beside it, on one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from polytask.penalties.base import FeatureWise, Norm, Quadratic
from polytask.penalties.nested import with_signs
from polytask.penalties.signs import Signs

__all__ = ["NormPlus"]


@dataclass(frozen=True, eq=False)
class NormPlus(FeatureWise):
    """value(B) = norm(B) + quadratic(B); solvers count the quadratic to the smooth part.

    Parameters
    ----------
    norm : Norm
    quadratic : Quadratic
    """

    norm: Norm
    quadratic: Quadratic

    def on_features(self, kept: np.ndarray) -> NormPlus:
        """Both of some of the features; both must be sums over them."""
        norm, quadratic = cast(FeatureWise, self.norm), cast(FeatureWise, self.quadratic)
        return NormPlus(norm.on_features(kept), quadratic.on_features(kept))  # type: ignore[arg-type]

    def signed(self, signs: Signs) -> NormPlus:
        """Within a cone."""
        return NormPlus(cast(Norm, with_signs(self.norm, signs)), self.quadratic)

    def value(self, B: np.ndarray) -> float:
        """Penalty of B."""
        return self.norm.value(B) + self.quadratic.value(B)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.norm.residual(B, G + self.quadratic.gradient(B))
