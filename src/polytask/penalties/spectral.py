"""Singular values of coefficient matrices: thresholding, signs, numerical rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

__all__ = [
    "RANK_TOL",
    "Thresholded",
    "canonical_svd",
    "is_below",
    "nearest",
    "numerical_rank",
    "remember",
    "singular",
    "singular_above",
    "singular_vectors",
    "soft_threshold",
    "spectral_norm",
    "tangent_split",
]

RANK_TOL = 1e-9  # a singular value below this share of the largest is rounding
_SMALL = 100_000  # numbers of a matrix whose decomposition is held until the next one
_LAST: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None] = [None]
_SQUARES_FROM = 1e-4  # threshold / largest singular value from which squares lose no needed digit


class Thresholded(NamedTuple):
    """A matrix whose singular values were thresholded, and the values that are left."""

    matrix: np.ndarray
    singular_values: np.ndarray


def soft_threshold(B: np.ndarray, threshold: float) -> Thresholded:
    """Singular values lowered by ``threshold``, those below it set to zero.

    The minimizer of ½‖L - B‖_F² + threshold ‖L‖_*. Computed from the smaller of B'B and BB' where
    the threshold lies well above the rounding of squares.
    """
    if B.shape[0] < B.shape[1]:
        found = soft_threshold(B.T, threshold)
        return Thresholded(found.matrix.T, found.singular_values)
    values, vectors = np.linalg.eigh(B.T @ B)
    s = np.sqrt(np.maximum(values[::-1], 0.0))
    V = vectors[:, ::-1]
    if threshold < _SQUARES_FROM * s[:1].sum():
        _, s, Vt = np.linalg.svd(B, full_matrices=False)
        V = Vt.T
    rank = int((s > threshold).sum())
    s, V = s[:rank], V[:, :rank]
    return Thresholded(((B @ V) * (1.0 - threshold / s)) @ V.T, s - threshold)


def singular_above(B: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, s, V of the singular values above ``threshold`` (and above rounding of squares)."""
    if B.shape[0] < B.shape[1]:
        V, s, U = singular_above(B.T, threshold)
        return U, s, V
    values, vectors = np.linalg.eigh(B.T @ B)
    s = np.sqrt(np.maximum(values[::-1], 0.0))
    keep = (s > threshold) & (s > 1e-7 * s.max(initial=0.0))
    V, s = vectors[:, ::-1][:, keep], s[keep]
    return (B @ V) / s, s, V


def nearest(B: np.ndarray, rank: int) -> np.ndarray:
    """The nearest matrix of at most this rank, singular values above rounding of squares."""
    if B.shape[0] < B.shape[1]:
        return nearest(B.T, rank).T
    if rank >= B.shape[1]:
        return B
    V = np.linalg.eigh(B.T @ B)[1][:, B.shape[1] - rank :]
    return np.asarray((B @ V) @ V.T)


def is_below(B: np.ndarray, threshold: float) -> bool:
    """Whether no singular value is above ``threshold``: a Cholesky factor, a tenth of the time."""
    left = -(B @ B.T if B.shape[0] < B.shape[1] else B.T @ B)
    left.flat[:: len(left) + 1] += threshold * threshold
    return not len(left) or not lapack.dpotrf(left, clean=0, overwrite_a=1)[1]


def spectral_norm(B: np.ndarray) -> float:
    """Largest singular value, from the smaller of B'B and BB'."""
    if B.size == 0:
        return 0.0
    square = B @ B.T if B.shape[0] < B.shape[1] else B.T @ B
    return float(np.sqrt(max(np.linalg.eigvalsh(square)[-1], 0.0)))


def numerical_rank(s: np.ndarray, share: float = RANK_TOL) -> int:
    """Singular values above a share of the largest: more than rounding."""
    return int((s > share * s.max(initial=0.0)).sum())


def canonical_svd(
    B: np.ndarray, k: int | None = None, share: float = RANK_TOL
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U (m, k), s (k,), V' (k, d) with the largest entry of every row of V' positive.

    Singular values up to ``share`` of the largest are taken for zero.

    Columns beyond the number of singular values are completed to orthonormal rows V' with zero
    singular values, from the coordinate axes, so that the same matrix gives the same V'.
    """
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    k = len(s) if k is None or B.shape[1] == 0 else k  # without columns there is no direction
    rank = min(numerical_rank(s, share), k)
    Vt = _complete(Vt[:rank], k)
    sign = np.sign(Vt[np.arange(k), np.abs(Vt).argmax(axis=1)]) if k else np.ones(0)
    s = np.concatenate([s[:rank], np.zeros(k - rank)])
    left = np.zeros((len(B), k))
    left[:, :rank] = U[:, :rank] * sign[:rank]
    return left, s, Vt * sign[:, None]


def singular(B: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, s and V, with zero singular values or without: of the last small matrix once for all."""
    last = _LAST[0]
    if last is None or not np.array_equal(last[0], B):
        U, s, Vt = np.linalg.svd(B, full_matrices=False)
        last = B.copy(), U, s, Vt.T
        for part in last:
            part.flags.writeable = False
        _LAST[0] = last if B.size <= _SMALL else None
    return last[1:]


def remember(B: np.ndarray, U: np.ndarray, s: np.ndarray, V: np.ndarray) -> None:
    """Let `singular` know the decomposition of B, zero singular values left out."""
    _LAST[0] = None
    if B.size <= _SMALL:
        _LAST[0] = B.copy(), U.copy(), s.copy(), V.copy()


def singular_vectors(B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """U (m, r) and V (d, r) of B, r its numerical rank."""
    U, s, V = singular(B)
    rank = numerical_rank(s)
    return U[:, :rank], V[:, :rank]


def tangent_split(U: np.ndarray, V: np.ndarray, G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """G along and across the matrices of B's rank at B, of singular vectors U and V.

    Across: (I - UU') G (I - VV'), whose rows and columns avoid B's; along: the rest.
    """
    across = G - U @ (U.T @ G)
    across -= (across @ V) @ V.T
    return G - across, across


def _complete(Vt: np.ndarray, k: int) -> np.ndarray:
    """Orthonormal rows: those of Vt, then directions of coordinate axes that they miss most."""
    while len(Vt) < k:
        missed = 1.0 - (Vt**2).sum(axis=0)
        axis = np.zeros(Vt.shape[1])
        axis[int(missed.argmax())] = 1.0
        for _ in range(2):  # twice is enough for orthogonality to rounding
            axis -= Vt.T @ (Vt @ axis)
        Vt = np.vstack([Vt, axis / np.linalg.norm(axis)])
    return Vt
