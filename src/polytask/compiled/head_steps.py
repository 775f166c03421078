# mypy: disable-error-code="no-untyped-def"
"""Products of Gram matrices with a few directions, see `polytask.solvers.low_rank.gram_steps`."""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.small_roots import inverses

__all__ = ["kronecker", "left_along", "products", "ridges"]

_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}


@njit(cache=True, **_HOW)
def products(H, s, V, own, most):
    """H_i V', V H_i V', V s_i, the inverse of V H_i V' + own I, and whether all are clear."""
    (m, d), k = s.shape, len(V)
    HV = np.dot(H.reshape(m * d, d), V.T.copy()).reshape(m, d, k)
    G, held, r, column = np.empty((m, k, k)), np.empty((m, k, k)), np.dot(s, V.T), np.empty(d)
    for i in range(m):
        for b in range(k):
            for j in range(d):
                column[j] = HV[i, j, b]
            for a in range(b + 1):
                total, row = 0.0, V[a]
                for j in range(d):
                    total += row[j] * column[j]
                G[i, a, b] = total
                G[i, b, a] = total
                held[i, a, b] = total
                held[i, b, a] = total
            held[i, b, b] += own
    inverse, clear = inverses(held, most)
    return HV, G, r, inverse, clear


@njit(cache=True, **_HOW)
def left_along(A, V, g, bound, clear):
    """Largest |U U' g (I - V'V)| over ``bound`` (d,), U a basis of A's columns.

    Negative where a column is but a share ``clear`` of the longest without those before.
    """
    R, U = np.dot(A.T, A), A.copy()
    least, (m, k) = clear * clear * np.diag(R).max(), A.shape
    for j in range(k):
        if not _factor_row(R, j) > least:
            return -1.0
    for i in range(m):
        row = U[i]
        for j in range(k):
            for n in range(j):
                row[j] -= row[n] * R[n, j]
            row[j] /= R[j, j]
    slope = np.dot(U.T, g)
    slope -= np.dot(np.dot(slope, V.T.copy()), V)
    left, most = np.dot(U, slope), 0.0
    for i in range(m):
        row = left[i]
        for j in range(len(bound)):
            most = max(most, abs(row[j]) / bound[j])
    return most


@njit(cache=True, **_HOW)
def _factor_row(R, j):
    """Row j of the upper Cholesky factor, in place of the triangle's: the pivot's square.

    Those above were factored before.
    """
    row = R[j, j:]
    for n in range(j):
        factor, above = R[n, j], R[n, j:]
        for e in range(len(row)):
            row[e] -= factor * above[e]
    square = row[0]
    root = 1.0 / np.sqrt(square) if square > 0 else 0.0
    for e in range(len(row)):
        row[e] *= root
    return square


@njit(cache=True, **_HOW)
def kronecker(A, packed, B):
    """Σ a_i a_i' ⊗ H_i + B ⊗ I, H_i by the rows of its upper triangle."""
    (m, k), n = A.shape, packed.shape[1]
    d = int((np.sqrt(8.0 * n + 1.0) - 1.0) / 2.0 + 0.5)
    pairs, out, p = np.empty((k * (k + 1) // 2, m)), np.empty((k, d, k, d)), 0
    for a in range(k):
        for b in range(a, k):
            for i in range(m):
                pairs[p, i] = A[i, a] * A[i, b]
            p += 1
    sums, p = np.dot(pairs, packed), 0
    for a in range(k):
        for b in range(a, k):
            at = 0
            for j in range(d):
                for e in range(j, d):
                    total = sums[p, at]
                    out[a, j, b, e] = total
                    out[a, e, b, j] = total
                    out[b, j, a, e] = total
                    out[b, e, a, j] = total
                    at += 1
                out[a, j, b, j] += B[a, b]
                if a != b:
                    out[b, j, a, j] += B[a, b]
            p += 1
    return out.reshape(k * d, k * d)


@njit(cache=True, **_HOW)
def ridges(H, s, ridge):
    """(H_i + ridge I)^-1 s_i of every task by Cholesky factors."""
    m, d = s.shape
    R, out = np.empty((d, d)), s.copy()
    for i in range(m):
        x = out[i]
        for j in range(d):
            for e in range(j, d):
                R[j, e] = H[i, j, e]
            R[j, j] += ridge
        for j in range(d):
            _factor_row(R, j)
            row, rest = R[j, j:], x[j:]
            share = rest[0] / row[0]
            for e in range(1, len(row)):
                rest[e] -= row[e] * share
            rest[0] = share
        for j in range(d - 1, -1, -1):
            row, rest, total = R[j, j:], x[j:], 0.0
            for e in range(1, len(row)):
                total += row[e] * rest[e]
            rest[0] = (rest[0] - total) / row[0]
    return out
