"""The Newton equation of a norm on its support, and an older one's inverse that is near it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.algebra.linalg import psd_inverses, symmetric_eigen
from polytask.solvers.norms.squares import Squares

__all__ = ["SupportAt", "SupportModel"]

_USUAL = 2  # iterations of conjugate gradients with a factorization that is new enough
_PATIENCE, _CHEAP = 8.0, 3.0  # more of them that a first, and a small, factorization is worth
_SMALLEST = 1e-6  # eigenvalue of what the norm's curvature along w^j leaves


class SupportAt:
    """What the norm sum l1 |b_ij| + sum l2 ‖b^j‖ is at B, on the support: slope and curvature.

    Parameters
    ----------
    B, g : ndarray of shape (m, d)
        A point and the gradient of the smooth part there.
    l1, l2 : float or ndarray of shape (d,)
    """

    def __init__(self, B: np.ndarray, g: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> None:
        length = np.sqrt(np.einsum("ij,ij->j", B, B))
        J = self.features = np.flatnonzero(length)
        l1, l2, length = (np.broadcast_to(v, len(length))[J] for v in (l1, l2, length))
        B, g = B[:, J], g[:, J]
        on = B != 0
        self.on = None if on.all() else on  # all of these features
        self.pull = l2 / length  # curvature across w^j, of which none is along it
        self.unit = B / length
        self.residual = self._kept(g + l1 * np.sign(B) + l2 * self.unit)
        self._size = np.maximum(l1 + l2, 1e-300)

    def curve(self, p: np.ndarray, H: np.ndarray) -> np.ndarray:
        """The Hessian times p, H that of the smooth part times p; each of the kept features."""
        across = p - self.unit * np.einsum("ij,ij->j", self.unit, p)
        return self._kept(H + self.pull * across)

    def share(self, r: np.ndarray) -> float:
        """How long the longest column is, in units of the norm."""
        return float((np.sqrt(np.einsum("ij,ij->j", r, r)) / self._size).max(initial=0.0))

    def _kept(self, R: np.ndarray) -> np.ndarray:
        return R if self.on is None else np.where(self.on, R, 0.0)


class SupportModel:
    """An inverse near those of Newton equations: factored now and then, as iterations show.

    ``weary`` is whether Newton's method took too long on these data.
    """

    def __init__(self) -> None:
        self._features, self._inverse = np.zeros(0, dtype=int), np.zeros((0, 0, 0))
        self._on: np.ndarray | None = None
        self.weary = False
        self._excess, self._worth = 0.0, _PATIENCE

    def took(self, n_iter: int) -> None:
        """Iterations that an equation took."""
        self._excess += n_iter - _USUAL

    def at(self, F: Squares, at: SupportAt) -> Callable[[np.ndarray], np.ndarray]:
        """The inverse that serves here, of arrays that hold the kept features."""
        if self._excess >= self._worth:
            self._factor(F, at)
        J, K = at.features, self._features
        if at.on is None and self._on is None and np.array_equal(J, K):
            return self._solve
        n, m = F.task_diagonal.shape[1], len(F.task_diagonal)
        here, there = np.zeros((m, n), dtype=bool), np.zeros((m, n), dtype=bool)
        here[:, J] = True if at.on is None else at.on
        there[:, K] = True if self._on is None else self._on
        both, alone = (here & there)[:, K], (here & ~there)[:, J]
        diagonal = F.task_diagonal[:, J] + at.pull
        near = np.where(alone, 1.0 / np.where(diagonal > 0, diagonal, 1.0), 0.0)
        padded, back = np.zeros((m, n)), np.zeros((m, n))

        def solve(r: np.ndarray) -> np.ndarray:
            padded[:, J] = r
            back[:, K] = self._solve(padded[:, K] * both) * both
            return np.asarray(back[:, J] + near * r)

        return solve

    def _solve(self, r: np.ndarray) -> np.ndarray:
        """The inverse of M - V V' by that of M, blocks of tasks."""
        if not len(self._features):
            return r
        z = self._times(r)
        t = self._small @ np.einsum("ij,ij->j", self._V, z)
        z += self._times(self._V * t)
        return z

    def _times(self, r: np.ndarray) -> np.ndarray:
        inverse = self._inverse
        one = len(inverse) == 1
        return np.asarray(r @ inverse[0] if one else (inverse @ r[:, :, None])[:, :, 0])

    def _factor(self, F: Squares, at: SupportAt) -> None:
        self._features, self._on = at.features, at.on
        a, d = len(at.features), F.structure.n_features
        k = np.arange(a)
        M = F.task_curvature(at.features)
        if at.on is None:
            M[:, k, k] += at.pull
        else:
            M = M * (at.on[:, :, None] & at.on[:, None, :])
            M[:, k, k] += np.where(at.on, at.pull, 1.0)
        inverse = self._inverse = psd_inverses(M)
        V = self._V = np.sqrt(at.pull) * at.unit
        if len(inverse) == 1:
            S = np.eye(a) - inverse[0] * (V.T @ V)
        else:
            S = np.eye(a) - np.stack([V[:, j] @ (inverse[:, j] * V) for j in k])
        values, vectors = symmetric_eigen(S)
        self._small = (vectors / np.maximum(values, _SMALLEST)) @ vectors.T
        self._excess, self._worth = 0.0, _CHEAP + a**3 / (4.0 * d * d)
