"""Inverses, and their roots, of many small symmetric matrices, rank deficiency included."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import eigh, lapack

from polytask.compiled import loops
from polytask.data.threads import share

__all__ = [
    "COLLINEAR", "clear_inverses", "inverses_and_log_dets", "largest_eigenvalue", "null_space",
    "psd_inverse", "psd_inverse_and_log_det", "psd_inverse_roots", "psd_inverses", "pseudo_inverse",
    "squares_times", "symmetric_eigen",
]  # fmt: skip

_THREADS_FROM = (24, 1e7)  # size and b p³ below which sharing costs more than it saves
_CHUNK = 65_536  # numbers in matrices that are worked on together: half a megabyte, in cache
_HUGE = 1e8  # entry of I + something from which on ones have half the digits only
COLLINEAR = 1e12  # variance inflation from which a matrix counts as singular
_SMALL, _MANY = 16, 30  # size up to which many calls of LAPACK cost more than their work
_SIDES, _ALONE = (4, 400), 32  # sizes for which compiled loops are faster; of one or two matrices
_SAVED = 8e-9  # seconds that they save for each number
_LANES, _LARGEST = 4, 128  # least number, and size, of matrices whose eigenvectors loops find
_SAVED_OF_EIGEN = 1e-9  # seconds that they save for each number and row
_PARTS = 16  # of matrices that threads share


def symmetric_eigen(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (..., p), ascending, and eigenvectors (..., p, p) of symmetric A (..., p, p).

    Divide and conquer is fast, but with many equal eigenvalues does not always end; QR steps do,
    as do those that loops take with eight matrices at a time.
    """
    several = A.ndim == 3 and len(A) >= _LANES and 2 <= A.shape[1] <= _LARGEST
    saves = _SAVED_OF_EIGEN * A.size * A.shape[-1]
    if several and (compiled := loops("eigen", saves)) is not None:
        values, rows, ended = compiled.decompose(A)
        if ended and np.isfinite(values).all():
            return values, rows.transpose(0, 2, 1)
    try:
        found = np.linalg.eigh(A)
        return found.eigenvalues, found.eigenvectors
    except np.linalg.LinAlgError:
        if not np.isfinite(A).all():
            raise
        each = [eigh(one, driver="ev") for one in A.reshape(-1, *A.shape[-2:])]
        values, vectors = (np.stack(part) for part in zip(*each, strict=True))
        return values.reshape(A.shape[:-1]), vectors.reshape(A.shape)


def pseudo_inverse(A: np.ndarray) -> np.ndarray:
    """Numpy's of a symmetric matrix, in a third of the time."""
    values, vectors = symmetric_eigen(A)
    size = np.abs(values)
    there = size > 1e-15 * size.max(initial=0.0)
    return np.asarray(
        (vectors * np.where(there, 1.0 / np.where(there, values, 1.0), 0.0)) @ vectors.T
    )


def largest_eigenvalue(A: np.ndarray, least: float = 0.0) -> float:
    """The larger of ``least`` and the largest eigenvalue of all symmetric A (b, p, p).

    That a matrix has none above what is known a Cholesky factor tells, in a tenth of the time.
    """
    for i in np.argsort(-np.einsum("bii->b", A)):
        below = -A[i]
        below.flat[:: len(below) + 1] += least
        if len(below) and lapack.dpotrf(below.T, lower=0, clean=0, overwrite_a=1)[1]:
            least = max(least, float(np.linalg.eigvalsh(A[i])[-1]))
    return least


def psd_inverse(A: np.ndarray) -> np.ndarray:
    """Inverse of a positive semidefinite matrix; pseudo-inverse (after scaling) if singular.

    Singularity is judged in the scale of a unit diagonal, so that units of features do not look
    like rank deficiency.
    """
    inverse: np.ndarray = psd_inverses(np.array(A[None], order="C"))[0]
    return inverse


def clear_inverses(A: np.ndarray) -> np.ndarray | None:
    """Inverse of every A (b, p, p); None where one is no positive definite matrix by far.

    By a trillionth of what a coordinate has by itself, as much as others must leave of it.
    """
    if (compiled := loops("small_roots")) is not None:
        inverse, clear = compiled.inverses(np.ascontiguousarray(A), COLLINEAR)
        return inverse if clear else None
    diagonal = np.einsum("ijj->ij", A)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    try:
        inverse = np.linalg.inv(A * scale[:, :, None] * scale[:, None, :])
    except np.linalg.LinAlgError:
        return None
    left = np.einsum("ijj->ij", inverse)  # one over what of a coordinate the others leave
    if inverse.size and not (left.min() > 0 and left.max() < COLLINEAR):
        return None
    return np.asarray(inverse * scale[:, :, None] * scale[:, None, :])


def psd_inverse_and_log_det(A: np.ndarray) -> tuple[np.ndarray, float]:
    """`psd_inverse` of A and the logarithm of its determinant, without what is singular."""
    if len(A) == 0:
        return A, 0.0
    factor, info = lapack.dpotrf(A, lower=1, clean=1)
    pivots = factor.diagonal() * _reciprocal_roots(A.diagonal())
    if info == 0 and pivots.min() > _smallest_pivot(len(A)):
        low = lapack.dpotri(factor, lower=1)[0]  # zeros above its diagonal
        inverse = low + low.T
        inverse.flat[:: len(A) + 1] *= 0.5
        return inverse, 2.0 * float(np.log(factor.diagonal()).sum())
    values = np.linalg.eigvalsh(A)
    return psd_inverse(A), float(np.log(values[values > values[-1] * 1e-12]).sum())


def psd_inverses(A: np.ndarray, singular: np.ndarray | None = None) -> np.ndarray:
    """`psd_inverse` of every A[i], shape (b, p, p); A is overwritten."""
    R = psd_inverse_roots(A, singular)
    inverses: np.ndarray = R.transpose(0, 2, 1) @ R
    return inverses


def psd_inverse_roots(
    A: np.ndarray, singular: np.ndarray | None = None, total: np.ndarray | None = None
) -> np.ndarray:
    """R[i] with R[i]'R[i] = `psd_inverse` of A[i], shape (b, p, p), written over A.

    They are triangular but where A[i] is singular. ``singular`` (b,) is set where it is, or too
    close to it for its inverse to have digits, and ``total`` (p, p) to the sum of R[i]'R[i].
    """
    singular = np.zeros(len(A), dtype=bool) if singular is None else singular
    b, p = A.shape[:2]
    if b == 0 or p == 0:
        return A
    serve = _SIDES[0] <= p <= _SIDES[1] and (p <= _ALONE or b > 2) and A.flags.c_contiguous
    if serve and (compiled := loops("small_roots", _SAVED * A.size)) is not None:
        _invert_by_loops(compiled, A, singular, total)
        return A
    size = max(1, _CHUNK // p**2)
    invert = _invert_small if p <= _SMALL and b >= _MANY else _invert_chunk

    def work(parts: np.ndarray) -> None:
        for first in parts * size:
            invert(A[first : first + size], singular[first : first + size])

    _work_on(work, -(-b // size), A)
    if total is not None:
        total[:] = _sum_of_squares(A)
    return A


def squares_times(R: np.ndarray, V: np.ndarray) -> np.ndarray:
    """R_i'R_i v_i, shape (b, p), for R of shape (b, p, p), which is read once."""
    b, p = V.shape
    if p <= _SMALL and (compiled := loops("small_roots", _SAVED * R.size)) is not None:
        return np.asarray(compiled.squares_times(*map(np.ascontiguousarray, (R, V))))
    out = np.empty((b, p))
    size = max(1, _CHUNK // max(p, 1) ** 2)
    for first in range(0, b, size):
        part = slice(first, first + size)
        out[part] = (R[part].transpose(0, 2, 1) @ (R[part] @ V[part, :, None]))[:, :, 0]
    return out


def _work_on(work: Callable[[np.ndarray], None], parts: int, A: np.ndarray) -> None:
    """Call ``work`` with numbers of parts of A, in threads where there is enough of it."""
    if _is_much(A):
        share(work, np.arange(parts))
    else:
        work(np.arange(parts))


def _is_much(A: np.ndarray) -> bool:
    return A.shape[1] >= _THREADS_FROM[0] and A.size * A.shape[1] > _THREADS_FROM[1]


def _sum_of_squares(R: np.ndarray) -> np.ndarray:
    rows = R.reshape(-1, R.shape[2])
    return np.asarray(rows.T @ rows)


def _invert_by_loops(
    compiled: Any, A: np.ndarray, singular: np.ndarray, total: np.ndarray | None
) -> None:
    """Roots in place, eight matrices side by side; note which were singular."""
    b, p = A.shape[:2]
    parts = _PARTS if _is_much(A) else 1  # not by cores, so that sums are the same everywhere
    size, least = 8 * -(-b // (8 * parts)), _smallest_pivot(p) ** 2
    parts = -(-b // size)
    totals = np.zeros((parts, 0, 0) if total is None else (parts, p, p))

    def work(some: np.ndarray) -> None:
        for n in some:
            at = slice(n * size, (n + 1) * size)
            singular[at] = compiled.inverse_roots(A[at], least, totals[n])

    _work_on(work, parts, A)
    lost = bool(singular.any())
    if lost:
        A[singular] = _pseudo_inverse_roots(A[singular])
    if total is not None:
        total[:] = _sum_of_squares(A) if lost else totals.sum(axis=0)


def _invert_chunk(A: np.ndarray, singular: np.ndarray) -> None:
    """Roots in place; note which were singular.

    LAPACK sees the transpose (column-major) of each symmetric matrix, so its upper triangle is
    our lower one and nothing is copied. dpotrf and dtrtri release the GIL. Pivots are judged in
    the scale of a unit diagonal, to which a Cholesky factor is indifferent otherwise.
    """
    p = A.shape[-1]
    diagonal = np.einsum("bii->bi", A).copy()
    sound = [lapack.dpotrf(a.T, lower=0, clean=0, overwrite_a=1)[1] == 0 for a in A]
    pivots = np.einsum("bii->bi", A) * _reciprocal_roots(diagonal)
    singular[:] = ~(np.asarray(sound) & (pivots.min(axis=1) > _smallest_pivot(p)))
    for a, bad in zip(A, singular, strict=True):
        if not bad:
            lapack.dtrtri(a.T, lower=0, overwrite_c=1)
    lost = A[singular]  # the upper triangle still holds what was there
    np.multiply(A, _lower(p) if len(A) > 1 else np.tri(p), out=A)  # small ones come again
    if singular.any():
        above = np.triu(lost, 1)
        whole = above + above.transpose(0, 2, 1)
        np.einsum("bii->bi", whole)[:] = diagonal[singular]
        A[singular] = _pseudo_inverse_roots(whole)


@cache
def _lower(p: int) -> np.ndarray:
    """Ones where a lower triangle (p, p) is."""
    return np.tri(p)


def _invert_small(A: np.ndarray, singular: np.ndarray) -> None:
    """The same by elimination of [A, I], a column at a time of all matrices at once."""
    n, p = A.shape[:2]
    M = np.zeros((p, 2 * p, n))
    M[:, :p] = A.transpose(1, 2, 0)
    at = np.arange(p)
    M[at, p + at] = 1.0
    with np.errstate(all="ignore"):  # of singular matrices, which are seen afterwards
        for j in range(p - 1):
            share = M[j + 1 :, j] / M[j, j]
            M[j + 1 :, j + 1 : p + j + 1] -= share[:, None] * M[j, j + 1 : p + j + 1]
        root = np.sqrt(M[at, at])
        R = M[:, p:] / root[:, None]
    pivots = root * _reciprocal_roots(A[:, at, at].T)
    singular[:] = ~(pivots > _smallest_pivot(p)).all(axis=0)
    lost = A[singular]
    A[:] = R.transpose(2, 0, 1)
    if singular.any():
        A[singular] = _pseudo_inverse_roots(lost)


def inverses_and_log_dets(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every A_i^-1 (b, k, k) and log|A_i| (b,); A_i - I is positive semidefinite.

    By Cholesky factors, or where matrices are small by elimination, a column of all of them at
    once; where an entry is huge, which costs others their digits, with LAPACK's pivots.
    """
    if A.max(initial=0.0) > _HUGE:
        return np.linalg.inv(A), np.linalg.slogdet(A)[1]
    if (k := A.shape[-1]) > _SMALL:
        roots = psd_inverse_roots(A.copy())
        log_dets = -2.0 * np.log(np.einsum("bii->bi", roots)).sum(axis=1)
        return roots.transpose(0, 2, 1) @ roots, log_dets
    M, log_dets = np.array(A.transpose(1, 2, 0), order="C"), np.zeros(len(A))
    for j in range(k):
        pivot = M[j, j].copy()
        log_dets += np.log(pivot)
        row, column = M[j] / pivot, M[:, j].copy()
        column[j] = 0.0
        M -= column[:, None] * row
        M[j], M[:, j] = row, -column / pivot
        M[j, j] = 1.0 / pivot
    return M.transpose(2, 0, 1), log_dets


def _reciprocal_roots(diagonal: np.ndarray) -> np.ndarray:
    """Scaling to a unit diagonal."""
    scale: np.ndarray = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return scale


def _smallest_pivot(p: int) -> float:
    """What rounding alone can leave as a pivot."""
    return float(np.sqrt(64 * p * np.finfo(float).eps))


def _pseudo_inverse_roots(A: np.ndarray) -> np.ndarray:
    scale, values, vectors = _scaled_eigen(A)
    roots: np.ndarray = np.sqrt(_inverted(values))[:, :, None] * vectors.transpose(0, 2, 1)
    roots *= scale[:, None, :]  # of columns of zeros nothing is left but rounding
    return np.where(np.einsum("bii->bi", A)[:, None, :] > 0, roots, 0.0)


def null_space(A: np.ndarray) -> np.ndarray:
    """Directions (p, j) that `psd_inverse` of A leaves out, because A takes them to rounding."""
    (scale,), (values,), (vectors,) = _scaled_eigen(A[None])
    null: np.ndarray = scale[:, None] * vectors[:, _inverted(values) == 0]
    return null


def _scaled_eigen(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scale = _reciprocal_roots(np.einsum("bii->bi", A))
    return scale, *symmetric_eigen(A * scale[:, None, :] * scale[:, :, None])


def _inverted(values: np.ndarray) -> np.ndarray:
    """Reciprocals of ascending eigenvalues, zero for those that are rounding."""
    largest = np.maximum(values[..., -1:], np.finfo(float).tiny)
    cut = values.shape[-1] * np.finfo(float).eps * 16 * largest
    return np.where(values > cut, 1.0 / np.where(values > cut, values, 1.0), 0.0)
