# mypy: disable-error-code="no-untyped-def"
"""Roots of inverses of many positive definite matrices, eight side by side.

See `polytask.algebra.linalg`. Lower Cholesky factors L and upper U = L'^-1 share one array: blocks
below its diagonal are those of L, blocks from the diagonal on those of U.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.blocks import EDGE, LANES, add, put, put_minus, take

__all__ = ["inverse_roots", "inverses", "squares_times"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def inverse_roots(A, least, total):
    """R with R'R = A_i^-1, lower triangular, over every A_i (b, p, p), and which have none.

    Those keep A_i, as a pivot is below ``least`` times its diagonal entry. Where ``total`` (p, p)
    has entries it is set to the sum of R'R, which then is that of all only if all have one.
    """
    (b, p), singular = A.shape[:2], np.empty(len(A), dtype=np.bool_)
    M, S, work = _room(p)
    for first in range(0, b, LANES):
        n = min(LANES, b - first)
        _gather(A, first, n, M)
        sound = _root(M, work, least)
        for t in range(n):
            singular[first + t] = not sound[t]
        if len(total):
            _products(M, n, S)
        _scatter(M, sound, A, first, n)
    for a in range(len(total)):
        for e in range(a + 1):
            both = 0.0
            for t in range(LANES):
                both += S[a, e, t]
            total[a, e] = total[e, a] = both
    return singular


@compiled
def inverses(A, most):
    """Inverse of every A (b, p, p), and whether all variance inflations were below ``most``."""
    b, p = A.shape[:2]
    out = np.empty((b, p, p))
    M, S, work = _room(p)
    for first in range(0, b, LANES):
        n = min(LANES, b - first)
        _gather(A, first, n, M)
        sound = _root(M, work, 1.0 / most)
        S[:] = 0.0
        _products(M, n, S)
        for t in range(n):
            for a in range(p):
                if not (sound[t] and 0.0 < S[a, a, t] * A[first + t, a, a] < most):
                    return out, False
                for e in range(a + 1):
                    out[first + t, a, e] = out[first + t, e, a] = S[a, e, t]
    return out, True


@compiled
def squares_times(R, V):
    """R_i'R_i v_i, (b, p), every R_i (b, p, p) read once."""
    b, p = V.shape
    out = np.zeros((b, p))
    for i in range(b):
        for j in range(p):
            pull = 0.0
            for n in range(p):
                pull += R[i, j, n] * V[i, n]
            for n in range(p):
                out[i, n] += pull * R[i, j, n]
    return out


@compiled
def _room(p):
    """Arrays for eight matrices, for their products, and for a few blocks.

    Rows are one longer than they need be: where their lengths are powers of two, caches lose them.
    """
    P = -(-p // EDGE) * EDGE
    both = np.zeros((2, P, P + 1, LANES))
    return both[0], both[1], np.zeros((3, EDGE, EDGE, LANES))


@compiled
def _gather(A, first, n, M):
    """Some matrices, the last index theirs; the identity where there are no more, and around."""
    p = A.shape[1]
    for a in range(len(M)):
        for e in range(a + 1):
            for t in range(LANES):
                M[a, e, t] = 1.0 if e == a else 0.0
        if a < p:
            for t in range(n):
                for e in range(a + 1):
                    M[a, e, t] = A[first + t, a, e]


@compiled
def _scatter(M, sound, A, first, n):
    """The reverse, of U', for those that have one."""
    p = A.shape[1]
    for a in range(p):
        for t in range(n):
            if sound[t]:
                for e in range(a + 1):
                    A[first + t, a, e] = M[e, a, t]
                for e in range(a + 1, p):
                    A[first + t, a, e] = 0.0


@compiled
def _products(M, n, S):
    """Add U U' of the first n to S, the lower triangle."""
    P = len(M)
    if n < LANES:
        M[:, :, n:] = 0.0
    for J in range(0, P, EDGE):
        for K in range(0, J + EDGE, EDGE):
            add(S, J, K, M, J, M, K, J, P)


@compiled
def _root(M, work, least):
    """U from the lower triangle, in place, and which have one."""
    P, sound = len(M), np.ones(LANES, dtype=np.bool_)
    size, (V, W, X) = np.empty((P, LANES)), work
    for a in range(P):
        for t in range(LANES):
            size[a, t] = least * M[a, a, t]
    for J in range(0, P, EDGE):
        for K in range(J, P, EDGE):
            take(M, K, J, M, K, M, J, 0, J)
        _copy(M, J, J, V)
        _factor(V, W, size[J:], sound)
        _invert(V, W)
        for K in range(J + EDGE, P, EDGE):
            _copy(M, K, J, X)
            put(M, K, J, X, 0, W, 0, 0, EDGE)
        for K in range(0, J, EDGE):
            put(X, 0, 0, M, K, M, J, K, J)
            put_minus(M, K, J, X, 0, W, 0, 0, EDGE)
        for a in range(EDGE):
            for e in range(EDGE):
                for t in range(LANES):
                    M[J + a, J + e, t] = W[e, a, t]
    return sound


@compiled
def _copy(M, a, e, X):
    for i in range(EDGE):
        for j in range(EDGE):
            for t in range(LANES):
                X[i, j, t] = M[a + i, e + j, t]


@compiled
def _factor(V, W, size, sound):
    """The Cholesky factor of the lower triangle of V, its diagonal inverted to that of W.

    Notes where pivots are below ``size``.
    """
    for a in range(EDGE):
        for f in range(a):
            for g in range(a, EDGE):
                for t in range(LANES):
                    V[g, a, t] -= V[a, f, t] * V[g, f, t]
        for t in range(LANES):
            pivot = V[a, a, t]
            if not pivot > size[a, t]:
                sound[t], pivot = False, 1.0
            W[a, a, t] = 1.0 / np.sqrt(pivot)
        for g in range(a + 1, EDGE):
            for t in range(LANES):
                V[g, a, t] *= W[a, a, t]


@compiled
def _invert(V, W):
    """The rest of the factor's inverse W."""
    for a in range(EDGE):
        for e in range(a):
            for t in range(LANES):
                W[a, e, t] = 0.0
            for f in range(e, a):
                for t in range(LANES):
                    W[a, e, t] -= V[a, f, t] * W[f, e, t]
            for t in range(LANES):
                W[a, e, t] *= W[a, a, t]
