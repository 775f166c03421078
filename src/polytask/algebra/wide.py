"""Ridge systems with fewer rows than coefficients, solved in the space of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse

from polytask.algebra.linalg import psd_inverse, symmetric_eigen

__all__ = ["WideRidge", "outer_product"]


class WideRidge:
    """(Z' Q Z + diag(D))^-1 for Z (n, p) with n < p; never forms a p × p matrix.

    With P the penalized coefficients (D > 0) and U the few free ones, the Woodbury identity needs
    only K = I + Q^½ Z_P D_P^-1 Z_P' Q^½, an n × n matrix.

    Parameters
    ----------
    Z : ndarray or sparse matrix of shape (n, p)
    D : ndarray of shape (p,)
        Curvature of the penalty on each coefficient, zero or positive.
    root : list of ndarray or None
        Diagonal blocks of Q^½ (symmetric, in the order of the rows); None is the identity.
    """

    def __init__(self, Z: Any, D: np.ndarray, root: list[np.ndarray] | None = None) -> None:
        self.Z, self.root = Z, root
        self.free = np.flatnonzero(D <= 0)
        self.inverse_D = np.where(D > 0, 1.0 / np.where(D > 0, D, 1.0), 0.0)
        kernel = outer_product(Z, self.inverse_D)
        kernel = self._apply_root(self._apply_root(kernel).T)
        kernel.flat[:: len(kernel) + 1] += 1.0
        self.kernel = _Kernel(kernel)
        self.Z_free = self._apply_root(_dense(Z[:, self.free]))
        self.K_free = self.kernel.solve(self.Z_free)
        self.T = psd_inverse(self.Z_free.T @ self.K_free)

    def solve(self, r: np.ndarray) -> np.ndarray:
        """(Z' Q Z + D)^-1 r for r of shape (p,)."""
        x = self._solve_penalized(r)
        if not len(self.free):
            return x
        free = self.T @ (r[self.free] - self.Z_free.T @ self._apply_root(self.Z @ x))
        out = x - self._solve_penalized(self.Z.T @ self._apply_root(self.Z_free @ free))
        out[self.free] = free
        return out

    def annihilate(self, R: np.ndarray) -> np.ndarray:
        """M R with M = I - Z (Z'Z + D)^-1 Z', for Q = I: what the ridge fit leaves of R (n, q)."""
        left = self.kernel.solve(R)
        return left - self.K_free @ (self.T @ (self.Z_free.T @ left))

    def residual_operator(self) -> np.ndarray:
        """Q^½ (I - Q^½ Z (Z' Q Z + D)^-1 Z' Q^½) Q^½, shape (n, n)."""
        root = self._apply_root(np.eye(self.Z.shape[0]))
        left = self.kernel.solve(root)
        left -= self.K_free @ (self.T @ (self.K_free.T @ root))
        return self._apply_root(left)

    def annihilator_root(self) -> np.ndarray:
        """Symmetric root of M."""
        values, vectors = symmetric_eigen(self.annihilate(np.eye(self.Z.shape[0])))
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    def _solve_penalized(self, r: np.ndarray) -> np.ndarray:
        """Inverse of the penalized part alone; zero on the free coefficients."""
        x = self.inverse_D * r
        u = self._apply_root(self.kernel.solve(self._apply_root(self.Z @ x)))
        return x - self.inverse_D * (self.Z.T @ u)

    def _apply_root(self, R: np.ndarray) -> np.ndarray:
        if self.root is None:
            return R
        edges = np.cumsum([0] + [len(block) for block in self.root])
        parts = zip(self.root, edges[:-1], edges[1:], strict=True)
        return np.concatenate([block @ R[a:b] for block, a, b in parts])


class _Kernel:
    """The inverse of K = I + (a positive semidefinite matrix), whatever its condition.

    Where rounding leaves K without a Cholesky factor, its eigenvalues are raised to 1, below which
    they cannot lie.
    """

    def __init__(self, K: np.ndarray) -> None:
        self.factor = self.vectors = None
        if len(K) == 0:
            return
        try:
            self.factor = linalg.cho_factor(K, lower=True, check_finite=False)
        except linalg.LinAlgError:
            values, self.vectors = symmetric_eigen(K)
            self.values = np.maximum(values, 1.0)

    def solve(self, R: np.ndarray) -> np.ndarray:
        """K^-1 R."""
        if self.factor is not None:
            return linalg.cho_solve(self.factor, R)
        if self.vectors is not None:
            return (self.vectors / self.values) @ (self.vectors.T @ R)
        return R.copy()


def _dense(A: Any) -> np.ndarray:
    return A.toarray() if sparse.issparse(A) else np.asarray(A, dtype=float)


def outer_product(Z: Any, weight: np.ndarray) -> np.ndarray:
    """Z diag(weight) Z', with a copy of Z only where weights differ.

    It is made as A A', of which BLAS computes one triangle only.
    """
    even = bool(len(weight)) and bool((weight == weight[0]).all())
    half = Z
    if not even:
        root = np.sqrt(weight)
        half = Z.multiply(root[None, :]).tocsr() if sparse.issparse(Z) else Z * root
    found = half @ half.T
    found = found.toarray() if sparse.issparse(found) else found
    return np.multiply(found, weight[0], out=found) if even else np.asarray(found)
