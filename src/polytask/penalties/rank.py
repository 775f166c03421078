"""The rank itself, as a penalty and as a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.penalties.spectral import numerical_rank, singular_vectors, tangent_split

__all__ = ["Rank"]


@dataclass(frozen=True, eq=False)
class Rank:
    """value(B) = alpha rank(B) + ridge ‖B‖_F², infinite above ``max_rank``.

    Parameters
    ----------
    alpha : float
    max_rank : int or None
    ridge : float
        Keeps a minimum at finite B where the loss alone has none (separable classes).
    """

    spectral: ClassVar[str] = "count"
    alpha: float
    max_rank: int | None = None
    ridge: float = 0.0

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        s = np.linalg.svd(B, compute_uv=False)
        rank = numerical_rank(s)
        if self.max_rank is not None and rank > self.max_rank:
            return np.inf
        return self.alpha * rank + self.ridge * float(s @ s)

    def prox(self, B: np.ndarray, step: float) -> np.ndarray:
        """Minimizer over L of ½‖L - B‖_F² + step value(L).

        With c = 1 + 2 step ridge, a singular value s becomes s / c if s² > 2 step alpha c, else 0.
        """
        shrink = 1.0 + 2.0 * step * self.ridge
        U, s, Vt = np.linalg.svd(B, full_matrices=False)
        rank = int((s**2 > 2.0 * step * self.alpha * shrink).sum())
        rank = min(rank, numerical_rank(s))
        rank = rank if self.max_rank is None else min(rank, self.max_rank)
        return (U[:, :rank] * (s[:rank] / shrink)) @ Vt[:rank]

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """The gradient along the matrices of B's rank: zero where small moves do not help."""
        return tangent_split(*singular_vectors(B), G + 2.0 * self.ridge * B)[0]
