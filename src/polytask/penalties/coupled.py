"""A quadratic penalty that couples the tasks: graphs, ordered tasks, learned relations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.penalties.base import FeatureWise

__all__ = ["Coupled"]

_NOTHING = 1e-12  # share of the largest entry of K


@dataclass(frozen=True, eq=False)
class Coupled(FeatureWise):
    """value(B) = sum_k strength_k B_k' K B_k + ridge_k ‖B_k‖², B_k (m,) a column of B (m, k).

    Single-task (K the identity), mean-regularized and graph-regularized learning, ordered tasks and
    tasks of known clusters differ by K only.

    Parameters
    ----------
    coupling : ndarray of shape (m, m)
        K, symmetric and positive semidefinite.
    strengths : ndarray of shape (k,)
        Zero leaves a coefficient free in every task.
    ridge : ndarray of shape (k,) or float
    """

    coupling: np.ndarray
    strengths: np.ndarray
    ridge: np.ndarray | float = 0.0

    def on_features(self, kept: np.ndarray) -> Coupled:
        """With their strengths."""
        ridge = self.ridge if np.ndim(self.ridge) == 0 else np.asarray(self.ridge)[kept]
        return Coupled(self.coupling, self.strengths[kept], ridge)

    @cached_property
    def _blind(self) -> bool:
        """Whether what all tasks have in common costs nothing, as in a Laplacian."""
        K = self.coupling
        return bool(np.abs(K.sum(axis=1)).max() <= _NOTHING * np.abs(K).max())

    @cached_property
    def links(self) -> np.ndarray | None:
        """Second derivatives: of an entry, and of it and the next task's, shape (2, k, m).

        None where other tasks than neighbours are coupled.
        """
        K = self.coupling
        if np.triu(K, 2).any():
            return None
        beside = np.append(K.diagonal(1), 0.0)
        at = self.diagonal(K[:, :1]).T
        return np.stack([at, 2.0 * np.outer(self.strengths, beside)])

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, k)."""
        C = B - B.mean(axis=0) if self._blind else B  # else rounding of equal tasks is all there is
        coupled = (C * (self.coupling @ C)).sum(axis=0)
        return float((self.strengths * coupled).sum() + (self.ridge * B**2).sum())

    def gradient(self, B: np.ndarray) -> np.ndarray:
        """2 K B diag(strength) + 2 B diag(ridge)."""
        return np.asarray(2.0 * (self.coupling @ B) * self.strengths + 2.0 * self.ridge * B)

    def diagonal(self, B: np.ndarray) -> np.ndarray:
        """Its second derivatives, shape (m, k)."""
        return np.asarray(
            2.0 * np.outer(self.coupling.diagonal(), self.strengths) + 2.0 * self.ridge
        )

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Gradient of the smooth part plus that of the penalty."""
        return G + self.gradient(B)
