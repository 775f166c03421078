"""Few directions are cheap, others dear: clusters of tasks, shared subspaces, covariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.penalties.base import Shrunk
from polytask.penalties.shrinkage import residual_by_shrinkage

__all__ = ["SpectralBox"]

_RANK_TOL = 1e-14  # a singular value below this share of the largest is rounding


@dataclass(frozen=True, eq=False)
class SpectralBox:
    """value(B) = min over M: scale tr(B' (floor I + M)^-1 B), tr M = k, 0 ⪯ M ⪯ I.

    The square of a norm of the singular values s: min over shares mu in [0, 1] with sum k of
    scale sum_i s_i² / (floor + mu_i) (McDonald, Pontil and Stamos 2016). M may stand between tasks
    or between features. With floor 0 and k = 1 it is scale ‖B‖_*².

    Parameters
    ----------
    scale, floor : float
    k : int
    """

    scale: float
    floor: float
    k: int

    def shares(self, s: np.ndarray, more: float = 0.0) -> np.ndarray:
        """The best mu_i for singular values s, where ``more`` is added to the floor."""
        mu, floor = np.zeros(len(s)), self.floor + more
        some = s > _RANK_TOL * s.max(initial=0.0)
        if some.sum() <= self.k:
            mu[some] = 1.0
            return mu
        r = s[some]  # mu_i = clip(t s_i - floor, 0, 1); their sum is piecewise linear in t
        knots = np.sort(np.concatenate([floor / r, (1.0 + floor) / r]))
        sums = np.clip(np.outer(knots, r) - floor, 0.0, 1.0).sum(axis=1)
        mu[some] = np.clip(np.interp(self.k, sums, knots) * r - floor, 0.0, 1.0)
        return mu

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d)."""
        return self._of(np.linalg.svd(B, compute_uv=False))

    def _of(self, s: np.ndarray) -> float:
        weight = self.floor + self.shares(s)
        return self.scale * float(np.divide(s * s, weight, out=0.0 * s, where=weight > 0).sum())

    def dual(self, G: np.ndarray) -> float:
        """Zero: nothing bounds ⟨G, B⟩ - value(B) but its `conjugate`."""
        return 0.0

    def conjugate(self, G: np.ndarray) -> float:
        """The largest ⟨G, B⟩ - value(B)."""
        square = np.linalg.svd(G, compute_uv=False) ** 2
        return float(self.floor * square.sum() + square[: self.k].sum()) / (4.0 * self.scale)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Each singular value times (floor + mu) / (floor + mu + 2 step scale)."""
        U, s, Vt = np.linalg.svd(B, full_matrices=False)
        more = 2.0 * step * self.scale
        weight = self.floor + self.shares(s, more)
        s = s * weight / (weight + more)
        return Shrunk((U * s) @ Vt, self._of(s))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return residual_by_shrinkage(self, B, G)
