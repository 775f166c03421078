"""A quadratic penalty that couples the tasks: graphs, ordered tasks, learned relations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Coupled"]


@dataclass(frozen=True, eq=False)
class Coupled:
    """value(B) = sum_k strength_k B_k' K B_k, where B_k (m,) is a column of B (m, k).

    Single-task (K the identity), mean-regularized and graph-regularized learning, ordered tasks and
    tasks of known clusters differ by K only.

    Parameters
    ----------
    coupling : ndarray of shape (m, m)
        K, symmetric and positive semidefinite.
    strengths : ndarray of shape (k,)
        Zero leaves a coefficient free in every task.
    """

    coupling: np.ndarray
    strengths: np.ndarray

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, k)."""
        return 0.5 * float((B * self.gradient(B)).sum())

    def gradient(self, B: np.ndarray) -> np.ndarray:
        """2 K B diag(strength)."""
        return np.asarray(2.0 * (self.coupling @ B) * self.strengths)

    def diagonal(self, B: np.ndarray) -> np.ndarray:
        """Its second derivatives, shape (m, k)."""
        return 2.0 * np.outer(self.coupling.diagonal(), self.strengths)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part plus that of the penalty."""
        return G + self.gradient(B)
