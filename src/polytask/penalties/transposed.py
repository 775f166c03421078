"""A norm of the tasks instead of the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from polytask.penalties.base import Norm, Shrunk
from polytask.penalties.nested import with_signs
from polytask.penalties.signs import Signs

__all__ = ["Transposed"]


@dataclass(frozen=True, eq=False)
class Transposed:
    """value(B) = inner(B'): with joint features, alpha sum_i ‖b_i‖_2, which keeps or drops tasks.

    Parameters
    ----------
    inner : Norm
    """

    inner: Norm

    @property
    def by_tasks(self) -> float:
        """What the length of a task's coefficients costs, of a norm that says so of features."""
        return float(cast(Any, self.inner).by_features)

    def signed(self, signs: Signs) -> Transposed:
        """Within a cone."""
        return Transposed(cast(Norm, with_signs(self.inner, Signs(signs.signs[:, None]))))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return self.inner.value(B.T)

    def dual(self, G: np.ndarray) -> float:
        """That of the norm."""
        return self.inner.dual(G.T)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """That of the norm."""
        found = self.inner.shrink(B.T, step)
        return Shrunk(found.matrix.T, found.value)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return self.inner.residual(B.T, G.T).T
