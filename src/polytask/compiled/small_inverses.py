# mypy: disable-error-code="no-untyped-def"
"""Inverses of many small positive definite matrices, see `polytask.algebra.linalg`."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["inverses"]


@njit(cache=True, nogil=True, error_model="numpy")
def inverses(A, most):
    """Inverse of every A (b, p, p), and whether all variance inflations were below ``most``.

    By sweeps of Gauss and Jordan, in the scale of a unit diagonal, where pivots need no exchange.
    """
    b, p = A.shape[:2]
    out, scale, row = np.empty((b, p, p)), np.empty(p), np.empty(p)
    for i in range(b):
        B = out[i]
        for j in range(p):
            scale[j] = 1.0 / np.sqrt(A[i, j, j]) if A[i, j, j] > 0 else 1.0
        for j in range(p):
            for n in range(p):
                B[j, n] = A[i, j, n] * scale[j] * scale[n]
        for k in range(p):
            if not B[k, k] * most > 1.0:
                return out, False
            _sweep(B, k, row)
        for j in range(p):
            if not 0.0 < B[j, j] < most:
                return out, False
            for n in range(p):
                B[j, n] *= scale[j] * scale[n]
    return out, True


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep(B, k, row):
    p, pivot = len(B), B[k, k]
    for n in range(p):
        row[n] = B[k, n] / pivot
    row[k] = 1.0 / pivot
    for j in range(p):
        factor = B[j, k]
        if j != k:
            B[j, k] = 0.0
            for n in range(p):
                B[j, n] -= factor * row[n]
    for n in range(p):
        B[k, n] = row[n]
