"""Inverses of many small symmetric matrices, rank deficiency included."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

__all__ = ["psd_inverse", "psd_inverses"]

_THREADS_FROM = 48  # below this size a LAPACK call is too short to share among threads


def psd_inverse(A: np.ndarray) -> np.ndarray:
    """Inverse of a positive semidefinite matrix; pseudo-inverse (after scaling) if singular.

    The matrix is first scaled to a unit diagonal, so that units of features do not look like
    rank deficiency.
    """
    return psd_inverses(A[None].copy())[0]


def psd_inverses(A: np.ndarray) -> np.ndarray:
    """`psd_inverse` of every A[i], shape (b, p, p); A is overwritten."""
    p = A.shape[-1]
    if p == 0:
        return A
    scale = _unit_diagonal(A)
    A *= scale[:, :, None] * scale[:, None, :]
    if p >= _THREADS_FROM and len(A) > 1 and (os.cpu_count() or 1) > 1:
        parts = np.array_split(np.arange(len(A)), os.cpu_count() or 1)
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor() as pool:
            list(pool.map(lambda part: _invert_all(A, part), parts))
    else:
        _invert_all(A, range(len(A)))
    A *= scale[:, :, None] * scale[:, None, :]
    return A


def _unit_diagonal(A: np.ndarray) -> np.ndarray:
    diagonal = np.einsum("bii->bi", A)
    return 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _invert_all(A: np.ndarray, which: Iterable[int]) -> None:
    """Invert A[i] in place for every i; scipy's dpotrf and dpotri release the GIL."""
    p = A.shape[-1]
    small = 64 * p * np.finfo(float).eps  # squared pivot that rounding alone can leave
    for i in which:
        factor, info = lapack.dpotrf(A[i], lower=1)
        if info == 0 and (np.einsum("ii->i", factor) ** 2).min() > small:
            inverse = lapack.dpotri(factor, lower=1)[0]
            lower = np.tril(inverse, -1)
            A[i] = lower + lower.T
            np.einsum("ii->i", A[i])[:] = np.einsum("ii->i", inverse)
        else:
            A[i] = _pseudo_inverse(A[i])


def _pseudo_inverse(A: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(A)
    cut = len(A) * np.finfo(float).eps * 16 * max(values[-1], np.finfo(float).tiny)
    inverse = np.where(values > cut, 1.0 / np.where(values > cut, values, 1.0), 0.0)
    return (vectors * inverse) @ vectors.T
