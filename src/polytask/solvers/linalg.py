"""Inverses of many small symmetric matrices, rank deficiency included."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from polytask.solvers.threads import share

__all__ = ["psd_inverse", "psd_inverses"]

_THREADS_FROM = 48  # below this size a LAPACK call is too short to share among threads


def psd_inverse(A: np.ndarray) -> np.ndarray:
    """Inverse of a positive semidefinite matrix; pseudo-inverse (after scaling) if singular.

    The matrix is first scaled to a unit diagonal, so that units of features do not look like
    rank deficiency.
    """
    return psd_inverses(np.array(A[None], order="C"))[0]


def psd_inverses(A: np.ndarray, singular: np.ndarray | None = None) -> np.ndarray:
    """`psd_inverse` of every A[i], shape (b, p, p), C-contiguous; A is overwritten.

    ``singular`` (b,) is set where A[i] was singular, or too close to it for its inverse to have
    digits.
    """
    singular = np.zeros(len(A), dtype=bool) if singular is None else singular
    p = A.shape[-1]
    if p == 0:
        return A
    scale = _unit_diagonal(A)
    A *= scale[:, :, None]
    A *= scale[:, None, :]
    if p >= _THREADS_FROM and len(A) > 1:
        share(lambda part: _invert_all(A, part, singular), np.arange(len(A)))
    else:
        _invert_all(A, np.arange(len(A)), singular)
    low = np.tril_indices(p, -1)
    A[:, low[0], low[1]] = A[:, low[1], low[0]]
    A *= scale[:, :, None]
    A *= scale[:, None, :]
    return A


def _unit_diagonal(A: np.ndarray) -> np.ndarray:
    diagonal = np.einsum("bii->bi", A)
    return 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _invert_all(A: np.ndarray, which: np.ndarray, singular: np.ndarray) -> None:
    """Upper triangle of A[i] becomes that of its inverse, for every i; notes singular ones.

    LAPACK sees the transpose (column-major) of each symmetric matrix, so its lower triangle is
    our upper one and nothing is copied. dpotrf and dpotri release the GIL.
    """
    p = A.shape[-1]
    smallest = np.sqrt(64 * p * np.finfo(float).eps)  # pivot that rounding alone can leave
    for i in which:
        before = A[i].copy()
        factor, info = lapack.dpotrf(A[i].T, lower=1, clean=0, overwrite_a=1)
        if info == 0 and A[i].diagonal().min() > smallest:
            lapack.dpotri(factor, lower=1, overwrite_c=1)
        else:
            A[i], singular[i] = _pseudo_inverse(before), True


def _pseudo_inverse(A: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(A)
    cut = len(A) * np.finfo(float).eps * 16 * max(values[-1], np.finfo(float).tiny)
    inverse = np.where(values > cut, 1.0 / np.where(values > cut, values, 1.0), 0.0)
    return (vectors * inverse) @ vectors.T
