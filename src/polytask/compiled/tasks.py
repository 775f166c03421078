# mypy: disable-error-code="no-untyped-def"
"""Sums over tasks of a mixed model at one covariance, see `polytask.mixed.sums`: the same numbers.

Tasks are taken sixteen at a time, and their matrices stay in the cache from Gram matrix to sums:
the innermost loops are over tasks, which processors do side by side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["bent_pairs", "covariances", "first_sums", "second_sums"]

_AT_ONCE = 16  # tasks
_FACTORS = 8  # pivots whose product is a number, of which one logarithm is taken

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def first_sums(H, r, root, L):
    """See `polytask.mixed.sums.first_sums`."""
    (m, p), k = r.shape, L.shape[1]
    T, b, log_det, explained = np.empty((m, p, p)), np.empty((m, p)), 0.0, 0.0
    # the last row of G is r, that of B then A^-1/2 L'r, that of S the pull
    G, S = np.zeros((p + 1, p, _AT_ONCE)), np.zeros((p + 1, p, _AT_ONCE))
    B, A = np.zeros((p + 1, k, _AT_ONCE)), np.zeros((k, k, _AT_ONCE))
    c = np.zeros(_AT_ONCE)
    for first in range(0, m, _AT_ONCE):
        _gather(H, r, root, first, G, c)
        _rotate(G, L, B, A)
        log_det += _factor(A, c)
        _whiten(A, B)
        for a in range(k):
            for t in range(_AT_ONCE):
                explained += B[p, a, t] ** 2
        _reduce(B, c, G, S)
        _scatter(G, first, T, b)
    total = _added(S, True)
    return T, b, total[:p], total[p], log_det, explained


@compiled
def second_sums(T, b, root, S_inverse, common):
    """See `polytask.mixed.sums.second_sums`."""
    m, p = b.shape
    q, G, c = np.empty((m, p)), np.zeros((p + 1, p, _AT_ONCE)), np.zeros(_AT_ONCE)
    Q, shared = np.zeros((p, p, _AT_ONCE)), np.zeros((p, p, _AT_ONCE))
    E, F = np.zeros((p, p, _AT_ONCE)), np.zeros((p, p, _AT_ONCE))
    W = np.zeros((p, p, _AT_ONCE))
    for first in range(0, m, _AT_ONCE):
        _gather(T, b, root, first, G, c)
        for j in range(p):
            for n in range(p):
                for t in range(_AT_ONCE):
                    G[p, j, t] -= c[t] * G[j, n, t] * common[n]
        _pair(G, c, Q, E, F)
        _share(G, c, S_inverse, W, shared)
        for t in range(min(_AT_ONCE, m - first)):
            for j in range(p):
                q[first + t, j] = G[p, j, t]
    return q, _added(Q, False), _added(shared, True), _added(E, False), _added(F, False)


@compiled
def bent_pairs(T, q, root, S_inverse, noise):
    """Z and T of `polytask.mixed.sums.bent_sums` in pairs, the lower triangles row by row."""
    m, p = q.shape
    Z, flat = np.empty((m, p * (p + 1) // 2)), np.empty((m, p * (p + 1) // 2))
    W = np.empty((p, p))
    for i in range(m):
        weight, at = root[i] ** 2, 0
        for j in range(p):
            for n in range(p):
                W[j, n] = 0.0
                for a in range(p):
                    W[j, n] += T[i, j, a] * S_inverse[a, n]
        for j in range(p):
            for n in range(j + 1):
                shared = 0.0
                for a in range(p):
                    shared += W[j, a] * T[i, a, n]
                flat[i, at] = T[i, j, n]
                Z[i, at] = 2.0 / noise * q[i, j] * q[i, n] + weight * (2.0 * shared - T[i, j, n])
                at += 1
    return Z, flat


@compiled
def covariances(H, L, S_inverse):
    """K_i + (I - K_i H_i) S^-1 (I - K_i H_i)' of every H (m, p, p), with K_i = L A_i^-1 L'."""
    (m, p), k = H.shape[:2], L.shape[1]
    out, r, root = np.empty((m, p, p)), np.zeros((m, p)), np.zeros(m)
    G, B = np.zeros((p + 1, p, _AT_ONCE)), np.zeros((p + 1, k, _AT_ONCE))
    A, c, W = np.zeros((k, k, _AT_ONCE)), np.zeros(_AT_ONCE), np.zeros((p, k, _AT_ONCE))
    left, right = np.zeros((p, p, _AT_ONCE)), np.zeros((p, p, _AT_ONCE))
    for first in range(0, m, _AT_ONCE):
        _gather(H, r, root, first, G, c)
        _rotate(G, L, B, A)
        _factor(A, c)
        for j in range(p):
            for a in range(k):
                W[j, a, :] = L[j, a]
        _whiten(A, W)
        _whiten(A, B)
        _rest(W, B, left)
        _clear(G)
        _add_form(W, W, G)
        _times(left, S_inverse, right)
        _add_form(right, left, G)
        _scatter(G, first, out, r)
    return out


@compiled
def _gather(H, r, root, first, G, c):
    """Some tasks, the last index theirs; zeros where there are no more."""
    p = r.shape[1]
    for t in range(_AT_ONCE):
        i = first + t
        there = i < len(r)
        c[t] = root[i] if there else 0.0
        for n in range(p):
            G[p, n, t] = r[i, n] if there else 0.0
            for j in range(p):
                G[j, n, t] = H[i, j, n] if there else 0.0


@compiled
def _scatter(G, first, T, b):
    """The inverse, of lower triangles."""
    for t in range(min(_AT_ONCE, len(b) - first)):
        for j in range(b.shape[1]):
            b[first + t, j] = G[-1, j, t]
            for n in range(j + 1):
                T[first + t, j, n] = T[first + t, n, j] = G[j, n, t]


@compiled
def _rotate(G, L, B, A):
    """B = G L, and A = L'B without its last row, the lower triangle."""
    _clear(B)
    _clear(A)
    for j in range(len(G)):
        for n in range(L.shape[0]):
            for a in range(L.shape[1]):
                if L[n, a] != 0.0:
                    for t in range(_AT_ONCE):
                        B[j, a, t] += G[j, n, t] * L[n, a]
    for j in range(L.shape[0]):
        for a in range(L.shape[1]):
            for e in range(a + 1):
                for t in range(_AT_ONCE):
                    A[a, e, t] += L[j, a] * B[j, e, t]


@compiled
def _factor(A, c):
    """C with C C' = I + A over A, its diagonal inverted; returns the sum of c² log|I + A|."""
    log_det, product = 0.0, np.ones(_AT_ONCE)
    for a in range(len(A)):
        for e in range(a + 1):
            for f in range(e):
                for t in range(_AT_ONCE):
                    A[a, e, t] -= A[a, f, t] * A[e, f, t]
            for t in range(_AT_ONCE):
                if e < a:
                    A[a, e, t] *= A[e, e, t]
        for t in range(_AT_ONCE):
            product[t] *= 1.0 + A[a, a, t]
            A[a, a, t] = 1.0 / np.sqrt(1.0 + A[a, a, t])
        if a % _FACTORS == _FACTORS - 1 or a == len(A) - 1:
            for t in range(_AT_ONCE):
                log_det += c[t] * c[t] * np.log(product[t])
                product[t] = 1.0
    return log_det


@compiled
def _whiten(A, B):
    """Each row x of B becomes C^-1 x, of such a C."""
    for j in range(len(B)):
        for a in range(len(A)):
            for f in range(a):
                for t in range(_AT_ONCE):
                    B[j, a, t] -= A[a, f, t] * B[j, f, t]
            for t in range(_AT_ONCE):
                B[j, a, t] *= A[a, a, t]


@compiled
def _reduce(B, c, G, S):
    """G - B B', the lower triangle, and its sums: c² G, in the last row c G."""
    p = len(G) - 1
    for j in range(p + 1):
        for n in range(min(j + 1, p)):
            for a in range(B.shape[1]):
                for t in range(_AT_ONCE):
                    G[j, n, t] -= B[j, a, t] * B[n, a, t]
            for t in range(_AT_ONCE):
                S[j, n, t] += c[t] * G[j, n, t] * (c[t] if j < p else 1.0)


@compiled
def _rest(W, B, left):
    """I - W B', of B without its last row."""
    for j in range(len(W)):
        for n in range(len(W)):
            left[j, n, :] = 1.0 if j == n else 0.0
            for a in range(W.shape[1]):
                for t in range(_AT_ONCE):
                    left[j, n, t] -= W[j, a, t] * B[n, a, t]


@compiled
def _add_form(A, B, G):
    """Add A B', the lower triangle."""
    for j in range(len(A)):
        for n in range(j + 1):
            for a in range(A.shape[1]):
                for t in range(_AT_ONCE):
                    G[j, n, t] += A[j, a, t] * B[n, a, t]


@compiled
def _times(A, M, out):
    """A M, the same M for every task, without a last row of A."""
    p = len(M)
    _clear(out)
    for j in range(p):
        for n in range(p):
            for a in range(p):
                for t in range(_AT_ONCE):
                    out[j, a, t] += A[j, n, t] * M[n, a]


@compiled
def _pair(G, c, Q, E, F):
    """Q, E and F of q in the last row of G."""
    p = len(G) - 1
    for j in range(p):
        for n in range(p):
            for t in range(_AT_ONCE):
                both = G[p, j, t] * G[p, n, t]
                Q[j, n, t] += both
                E[j, n, t] += both * G[j, n, t]
                F[j, n, t] += c[t] * G[j, n, t] * G[p, n, t]


@compiled
def _share(G, c, S_inverse, W, shared):
    """Add c² G S^-1 G, the lower triangle."""
    p = len(G) - 1
    _times(G, S_inverse, W)
    for j in range(p):
        for n in range(j + 1):
            for a in range(p):
                for t in range(_AT_ONCE):
                    shared[j, n, t] += c[t] * c[t] * W[j, a, t] * G[a, n, t]


@compiled
def _clear(A):
    """Zeros everywhere."""
    for j in range(A.shape[0]):
        for n in range(A.shape[1]):
            for t in range(_AT_ONCE):
                A[j, n, t] = 0.0


@compiled
def _added(S, lower):
    """Sums over the last index; where only the lower triangle is there, both."""
    out = np.zeros(S.shape[:2])
    for j in range(S.shape[0]):
        for n in range(S.shape[1]):
            k, a = (n, j) if lower and n > j else (j, n)
            for t in range(_AT_ONCE):
                out[j, n] += S[k, a, t]
    return out
