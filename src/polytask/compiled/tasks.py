"""Sums over tasks of a mixed model at one covariance, see `polytask.mixed.sums`: the same numbers.

A task's matrices stay in the cache from its Gram matrix to its share of the sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["first_sums", "second_sums", "turned_sums"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def first_sums(H, r, root, L):  # type: ignore[no-untyped-def]
    """See `polytask.mixed.sums.first_sums`."""
    (m, p), k = r.shape, L.shape[1]
    T, b = np.empty((m, p, p)), np.empty((m, p))
    S, pull, log_det, explained = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
    B, A, z = np.empty((p, k)), np.empty((k, k)), np.empty(k)
    for i in range(m):
        B[:] = 0.0
        for j in range(p):
            for n in range(p):
                for a in range(k):
                    B[j, a] += H[i, j, n] * L[n, a]
        A[:] = 0.0
        z[:] = 0.0
        for j in range(p):
            for a in range(k):
                z[a] += L[j, a] * r[i, j]
                for e in range(a + 1):
                    A[a, e] += L[j, a] * B[j, e]
        log_root = _cholesky(A)
        for j in range(p):
            _solve(A, B[j])
        _solve(A, z)
        w = root[i] ** 2
        log_det += 2.0 * w * log_root
        for a in range(k):
            explained += z[a] ** 2
        for j in range(p):
            b[i, j] = r[i, j]
            for a in range(k):
                b[i, j] -= B[j, a] * z[a]
            pull[j] += root[i] * b[i, j]
            for n in range(j + 1):
                left = H[i, j, n]
                for a in range(k):
                    left -= B[j, a] * B[n, a]
                T[i, j, n] = T[i, n, j] = left
                S[j, n] += w * left
    for j in range(p):
        for n in range(j):
            S[n, j] = S[j, n]
    return T, b, S, pull, log_det, explained


@compiled
def _cholesky(A):  # type: ignore[no-untyped-def]
    """The lower factor of I + A over A, and the logarithm of its determinant."""
    log_root = 0.0
    for a in range(len(A)):
        for e in range(a + 1):
            left = A[a, e]
            for f in range(e):
                left -= A[a, f] * A[e, f]
            A[a, e] = np.sqrt(1.0 + left) if a == e else left / A[e, e]
        log_root += np.log(A[a, a])
    return log_root


@compiled
def _solve(A, x):  # type: ignore[no-untyped-def]
    """x of A x, A lower, over the latter."""
    for a in range(len(x)):
        for f in range(a):
            x[a] -= A[a, f] * x[f]
        x[a] /= A[a, a]


@compiled
def second_sums(T, b, root, S_inverse, common):  # type: ignore[no-untyped-def]
    """See `polytask.mixed.sums.second_sums`."""
    m, p = b.shape
    q, W = np.empty((m, p)), np.empty(p)
    Q, shared, E, F = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    for i in range(m):
        c = root[i]
        for j in range(p):
            q[i, j] = b[i, j]
            for n in range(p):
                q[i, j] -= c * T[i, j, n] * common[n]
        for j in range(p):
            for n in range(p):
                Q[j, n] += q[i, j] * q[i, n]
                E[j, n] += q[i, j] * q[i, n] * T[i, j, n]
                F[j, n] += c * T[i, j, n] * q[i, n]
            if c == 0.0:
                continue
            W[:] = 0.0
            for n in range(p):
                for a in range(p):
                    W[a] += c * c * T[i, j, n] * S_inverse[n, a]
            for n in range(p):
                for a in range(p):
                    shared[j, a] += W[n] * T[i, n, a]
    return q, Q, shared, E, F


@compiled
def turned_sums(T, q, root):  # type: ignore[no-untyped-def]
    """See `polytask.mixed.sums.turned_sums`."""
    m, p = q.shape
    h = p * (p + 1) // 2
    Z, Y, pairs = np.zeros((h, h)), np.zeros((p, p, p)), np.empty(h)
    for i in range(m):
        at = 0
        for j in range(p):
            for n in range(j + 1):
                pairs[at] = T[i, j, n]
                at += 1
        at = 0
        for j in range(p):
            for n in range(j + 1):
                both = q[i, j] * q[i, n]
                for a in range(h):
                    Z[at, a] += both * pairs[a]
                at += 1
            for n in range(p):
                for a in range(p):
                    Y[j, n, a] += root[i] * T[i, j, n] * q[i, a]
    return Z, Y
