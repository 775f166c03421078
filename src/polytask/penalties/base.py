"""What a penalty must answer."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["Penalty"]


class Penalty(Protocol):
    """A penalty on one block B.

    Optional facts that solvers ask for: ``strength`` (coefficient-wise quadratic penalty),
    ``prox(B, step)``, ``conjugate``.
    """

    def value(self, B: np.ndarray) -> float:
        """Penalty of B."""
        ...

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero; zero at an optimum."""
        ...
