"""Ridge systems with fewer rows than coefficients, solved in the space of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse

from polytask.algebra.kernel_products import KernelProducts, NotNearError, outer_product
from polytask.algebra.linalg import psd_inverse, symmetric_eigen

__all__ = ["WideRidge"]


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
    own : list of WideRidge or None
        Those of the blocks of rows alone. With them systems in K may be solved by products: an
        answer has twelve digits then.
    """

    def __init__(
        self, Z: Any, D: np.ndarray, root: list[np.ndarray] | None = None,
        own: list[WideRidge] | None = None,
    ) -> None:  # fmt: skip
        self.Z, self.root = Z, root
        self.free = np.flatnonzero(D <= 0)
        self.inverse_D = np.where(D > 0, 1.0 / np.where(D > 0, D, 1.0), 0.0)
        self.kernel: _Kernel | KernelProducts | None = None
        self.square: np.ndarray | None = None
        if own and root is not None and KernelProducts.serves(Z):
            squares = [ridge.square_at(self.inverse_D) for ridge in own]
            self.kernel = KernelProducts(Z, self.inverse_D, root, squares)
        self.Z_free = self._apply_root(_dense(Z[:, self.free]))
        self.K_free = self._solve_kernel(self.Z_free)
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

    def square_at(self, weight: np.ndarray) -> np.ndarray:
        """Z diag(weight) Z', which is at hand where the weights are those of D, up to a factor."""
        ratio = weight.max(initial=0.0) / max(self.inverse_D.max(initial=0.0), 1e-300)
        if self.square is not None and np.array_equal(weight, ratio * self.inverse_D):
            return ratio * self.square
        return outer_product(self.Z, weight)

    def annihilate(self, R: np.ndarray) -> np.ndarray:
        """M R with M = I - Z (Z'Z + D)^-1 Z', for Q = I: what the ridge fit leaves of R (n, q)."""
        left = self._solve_kernel(R)
        return left - self.K_free @ (self.T @ (self.Z_free.T @ left))

    def residual_operator(self) -> np.ndarray:
        """Q^½ (I - Q^½ Z (Z' Q Z + D)^-1 Z' Q^½) Q^½, shape (n, n)."""
        root = self._apply_root(np.eye(self.Z.shape[0]))
        left = self._solve_kernel(root)
        left -= self.K_free @ (self.T @ (self.K_free.T @ root))
        return self._apply_root(left)

    def annihilator_root(self) -> np.ndarray:
        """Symmetric root of M."""
        values, vectors = symmetric_eigen(self.annihilate(np.eye(self.Z.shape[0])))
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    def _solve_penalized(self, r: np.ndarray) -> np.ndarray:
        """Inverse of the penalized part alone; zero on the free coefficients."""
        x = self.inverse_D * r
        u = self._apply_root(self._solve_kernel(self._apply_root(self.Z @ x)))
        return x - self.inverse_D * (self.Z.T @ u)

    def _solve_kernel(self, R: np.ndarray) -> np.ndarray:
        if isinstance(self.kernel, KernelProducts):
            try:
                return self.kernel.solve(R)
            except NotNearError:  # rows that are too much alike
                self.kernel = None
        if self.kernel is None:
            kernel = outer_product(self.Z, self.inverse_D)
            if self.root is None:
                self.square, kernel = kernel, kernel.copy()
            else:
                kernel = self._apply_root(self._apply_root(kernel).T)
            kernel.flat[:: len(kernel) + 1] += 1.0
            self.kernel = _Kernel(kernel)
        return self.kernel.solve(R)

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
