"""Inverses of many small symmetric matrices, rank deficiency included."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from polytask.data.threads import share

__all__ = ["psd_inverse", "psd_inverse_root", "psd_inverses"]

_THREADS_FROM = (24, 1e7)  # size and b p³ below which sharing costs more than it saves
_CHUNK = 65_536  # numbers in matrices that are worked on together: half a megabyte, in cache


def psd_inverse(A: np.ndarray) -> np.ndarray:
    """Inverse of a positive semidefinite matrix; pseudo-inverse (after scaling) if singular.

    The matrix is first scaled to a unit diagonal, so that units of features do not look like
    rank deficiency.
    """
    inverse: np.ndarray = psd_inverses(np.array(A[None], order="C"))[0]
    return inverse


def psd_inverse_root(A: np.ndarray) -> np.ndarray:
    """R with R'R = `psd_inverse` of A."""
    if len(A) == 0:
        return A
    scale = _unit_diagonal(A[None])[0]
    unit = A * scale * scale[:, None]
    factor, info = lapack.dpotrf(unit, lower=1, clean=1)
    if info == 0 and factor.diagonal().min() > _smallest_pivot(len(A)):
        return np.asarray(lapack.dtrtri(factor, lower=1)[0]) * scale
    values, vectors = np.linalg.eigh(unit)
    return (np.sqrt(_inverted(values))[:, None] * vectors.T) * scale


def psd_inverses(A: np.ndarray, singular: np.ndarray | None = None) -> np.ndarray:
    """`psd_inverse` of every A[i], shape (b, p, p), C-contiguous; A is overwritten.

    ``singular`` (b,) is set where A[i] was singular, or too close to it for its inverse to have
    digits.
    """
    singular = np.zeros(len(A), dtype=bool) if singular is None else singular
    b, p = A.shape[:2]
    if b == 0 or p == 0:
        return A
    size = max(1, _CHUNK // p**2)
    firsts = np.arange(0, b, size)

    def work(part: np.ndarray) -> None:
        for first in part:
            _invert_chunk(A[first : first + size], singular[first : first + size])

    if p >= _THREADS_FROM[0] and b * p**3 > _THREADS_FROM[1]:
        share(work, firsts)
    else:
        work(firsts)
    return A


def _invert_chunk(A: np.ndarray, singular: np.ndarray) -> None:
    """Invert in place; note which were singular.

    LAPACK sees the transpose (column-major) of each symmetric matrix, so its lower triangle is
    our upper one and nothing is copied. dpotrf and dpotri release the GIL.
    """
    p = A.shape[-1]
    scale = _unit_diagonal(A)
    A *= scale[:, :, None]
    A *= scale[:, None, :]
    before = A.copy()
    sound = [lapack.dpotrf(a.T, lower=1, clean=0, overwrite_a=1)[1] == 0 for a in A]
    regular = np.asarray(sound) & (np.einsum("bii->bi", A).min(axis=1) > _smallest_pivot(p))
    singular[:] = ~regular
    for i, a in enumerate(A):
        if regular[i]:
            lapack.dpotri(a.T, lower=1, overwrite_c=1)
        else:
            A[i] = _pseudo_inverse(before[i])
    for j in range(p - 1):  # the lower triangle, from the upper
        A[:, j + 1 :, j] = A[:, j, j + 1 :]
    A *= scale[:, :, None]
    A *= scale[:, None, :]


def _unit_diagonal(A: np.ndarray) -> np.ndarray:
    diagonal = np.einsum("bii->bi", A)
    scale: np.ndarray = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return scale


def _smallest_pivot(p: int) -> float:
    """What rounding alone can leave as a pivot."""
    return float(np.sqrt(64 * p * np.finfo(float).eps))


def _pseudo_inverse(A: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(A)
    product: np.ndarray = (vectors * _inverted(values)) @ vectors.T
    return product


def _inverted(values: np.ndarray) -> np.ndarray:
    """Reciprocals of ascending eigenvalues, zero for those that are rounding."""
    cut = len(values) * np.finfo(float).eps * 16 * max(values[-1], np.finfo(float).tiny)
    return np.where(values > cut, 1.0 / np.where(values > cut, values, 1.0), 0.0)
