"""Systems in the kernel of many rows, by products with the rows of one task after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg, sparse

__all__ = ["KernelProducts", "NotNearError", "outer_product"]

_LEFT = 1e-13  # share of the right-hand side that is left
_ROWS_A_STEP = 50  # of a matrix of rows that costs as much as a step of conjugate gradients
_FEWEST = 16  # steps that must be worth it
_LOOK = 8  # steps after which is told how many are needed


class NotNearError(Exception):
    """More steps are needed than the kernel itself costs."""


class KernelProducts:
    """K = I + Q^½ Z D^-1 Z' Q^½ by conjugate gradients, preconditioned by its diagonal blocks.

    Rows of different tasks are hardly alike where there are many features, so that blocks are
    nearly all of it. A step reads the rows once: with t = Z' Q^½ p of a direction p its curvature
    is p'p + t' D^-1 t, so that the residual, what precedes it, and its own t follow in one pass.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
    inverse_D : ndarray of shape (p,)
    root : list of ndarray
        Diagonal blocks of Q^½ (symmetric, in the order of the rows).
    squares : list of ndarray or None
        Diagonal blocks of Z D^-1 Z' where they are at hand.
    """

    def __init__(
        self, Z: np.ndarray, inverse_D: np.ndarray, root: list[np.ndarray],
        squares: list[np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        self.Z, self.root, self.inverse_D = Z, root, inverse_D[:, None]
        edges = np.cumsum([0] + [len(block) for block in root]).tolist()
        self.parts = [slice(a, b) for a, b in pairwise(edges)]
        self.most = len(Z) // _ROWS_A_STEP
        self.blocks = []
        for i, (part, R) in enumerate(zip(self.parts, root, strict=True)):
            square = squares[i] if squares else outer_product(Z[part], inverse_D)
            block = R @ square @ R
            block.flat[:: len(block) + 1] += 1.0
            self.blocks.append(linalg.cho_factor(block, lower=True, check_finite=False))

    @staticmethod
    def serves(Z: Any) -> bool:
        """Whether there are so many rows that steps could pay."""
        return not sparse.issparse(Z) and len(Z) >= _FEWEST * _ROWS_A_STEP

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """K^-1 rhs, for rhs of shape (n,) or (n, q).

        Raises
        ------
        NotNearError
            If that would take longer than to make K.
        """
        r = np.array(rhs.reshape(len(rhs), -1), dtype=float)
        x, p = np.zeros((2, *r.shape))
        t = np.zeros((self.Z.shape[1], r.shape[1]))
        size, before, whole = np.zeros(r.shape[1]), np.ones(r.shape[1]), np.linalg.norm(r, axis=0)
        for step in range(self.most + 1):
            image = self.inverse_D * t
            z, onward = np.empty(r.shape), np.zeros(t.shape)
            for part, root, block in zip(self.parts, self.root, self.blocks, strict=True):
                Z = self.Z[part]
                if step:
                    x[part] += size * p[part]
                    r[part] -= size * (p[part] + root @ (Z @ image))
                z[part] = linalg.cho_solve(block, r[part], check_finite=False)
                onward += Z.T @ (root @ z[part])
            left = np.linalg.norm(r, axis=0)
            if (left <= _LEFT * whole).all():
                return x.reshape(rhs.shape)
            self._judge(step, left, whole)
            rz = np.einsum("nq,nq->q", r, z)
            more = rz / before if step else 0.0
            p, t, before = z + more * p, onward + more * t, np.maximum(rz, 1e-300)
            curvature = np.einsum("nq,nq->q", p, p) + np.einsum("kq,kq->q", t, self.inverse_D * t)
            size = rz / np.maximum(curvature, 1e-300)
        raise NotNearError

    def _judge(self, step: int, left: np.ndarray, whole: np.ndarray) -> None:
        """Give up early where steps bring too little."""
        if step == _LOOK:
            digits = -np.log(np.maximum(left, 1e-300) / np.maximum(whole, 1e-300)) / step
            if (digits * self.most < -np.log(_LEFT))[left > _LEFT * whole].any():
                raise NotNearError


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
