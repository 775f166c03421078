# mypy: disable-error-code="no-untyped-def"
"""Eigenvalues and eigenvectors of many small symmetric matrices, eight side by side.

Householder's reflections to tridiagonal matrices, and QL steps of these (Bowdler, Martin, Reinsch
& Wilkinson, Numer. Math. 11, 1968), whose rotations are kept and then turn four rows at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.blocks import EDGE, LANES
from polytask.compiled.eigen_steps import (
    project,
    reflect,
    rotate,
    squares,
    sweep,
    update_four,
    update_one,
)

__all__ = ["decompose"]

_EPS = float(np.finfo(float).eps)
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})


@compiled
def decompose(A):
    """Eigenvalues (b, p), ascending, and eigenvectors as rows (b, p, p), and whether all ended."""
    b, p = A.shape[:2]
    P = -(-p // EDGE) * EDGE
    values, vectors = np.empty((b, p)), np.empty((b, p, p))
    M, Z = np.zeros((p + 1, P + 1, LANES)), np.empty((EDGE, P + 1, LANES))
    d, e, Q = np.zeros((p, 1, LANES)), np.zeros((p, 1, LANES)), np.zeros((2, P + 1, LANES))
    turns = np.empty((2 * p * (p + 8), 2, LANES))
    ranges, scale = np.empty((4 * (p + 8), 2), dtype=np.int64), np.empty(LANES)
    order = np.empty((LANES, p), dtype=np.int64)
    for first in range(0, b, LANES):
        n = min(LANES, b - first)
        _gather(A, first, n, M, scale)
        _reduce(M, d[:, 0], e[:, 0], Q)
        n_sweeps = _iterate(d, e, turns, ranges)
        if n_sweeps < 0:
            return values, vectors, False
        for t in range(n):
            upwards = np.argsort(d[:, 0, t])
            for a in range(p):
                order[t, a] = upwards[a]
                values[first + t, a] = d[order[t, a], 0, t] * scale[t]
        for j in range(0, P, EDGE):
            _rows_of_vectors(Z, j, M, turns, ranges[:n_sweeps])
            for t in range(n):
                for a in range(p):
                    for i in range(min(EDGE, p - j)):
                        vectors[first + t, a, j + i] = Z[i, order[t, a], t]
    return values, vectors, True


@compiled
def _gather(A, first, n, M, scale):
    """Some matrices over their largest entries, the last one again where there are no more.

    Of what is above the diagonal only blocks of four at the diagonal are used.
    """
    p = A.shape[1]
    for t in range(LANES):
        one, largest = A[first + min(t, n - 1)], 0.0
        for a in range(p):
            for k in range(a + 1):
                largest = max(largest, abs(one[a, k]))
        scale[t] = largest if largest > 0 else 1.0
        unit = 1.0 / scale[t]
        for a in range(p):
            for k in range(min(p, a + EDGE)):
                M[a, k, t] = one[a, k] * unit


@compiled
def _reduce(M, d, e, Q):
    """Diagonals d, e (p, 8) of similar tridiagonal matrices.

    Row i of M is left with u of a reflection I - u u' of the rows before it.
    """
    p, scale, old, norm = len(d), np.empty(LANES), 0, np.empty((1, 1, LANES))
    Q[:], M[p] = 0.0, 0.0
    for i in range(p - 1, 0, -1):
        u, u_old, q_old = M[i], M[i + 1], Q[old]
        for k in range(i + 1):
            for t in range(LANES):
                u[k, t] -= q_old[i, t] * u_old[k, t] + u_old[i, t] * q_old[k, t]
        squares(norm, M, i, i - 1)
        for t in range(LANES):
            last, rest = u[i - 1, t], norm[0, 0, t]
            size = np.sqrt(rest + last * last)
            new = -size if last >= 0 else size
            d[i, t], e[i - 1, t] = u[i, t], new if rest > 0 else last
            u[i - 1, t] = last - new
            scale[t] = 1.0 / np.sqrt(size * (size + abs(last))) if rest > 0 else 0.0
        for k in range(i):
            for t in range(LANES):
                u[k, t] *= scale[t]
        whole = i // EDGE * EDGE
        for a in range(0, whole, EDGE):
            update_four(M, a, i, Q, old)
        for a in range(whole, i):
            update_one(M, a, i, Q, old)
        old = 1 - old
        project(Q, old, M, i, i)
    for t in range(LANES):
        d[0, t] = M[0, 0, t] - 2.0 * Q[old, 0, t] * M[1, 0, t]
        e[p - 1, t] = 0.0


@compiled
def _iterate(d, e, turns, ranges):
    """Sweeps until e is nothing beside d: how many; -1 where there is no room for more."""
    p, n_sweeps, n = len(d), 0, 0
    begin, state = np.zeros(LANES, dtype=np.int64), np.zeros((4, 1, LANES))
    end = np.zeros(LANES, dtype=np.int64)
    while True:
        low, high = p, 0
        for t in range(LANES):
            begin[t], end[t] = _unfinished(d[:, 0, t], e[:, 0, t], begin[t])
            state[0, 0, t], state[1, 0, t], state[2, 0, t] = begin[t], end[t], 0.0
            if begin[t] < p:
                low, high = min(low, begin[t]), max(high, end[t])
                state[2, 0, t] = _shifted(d[:, 0, t], e[:, 0, t], begin[t], end[t])
        if high == 0:
            return n_sweeps
        if n_sweeps == len(ranges) or n + high - low > len(turns):
            return -1
        ranges[n_sweeps, 0], ranges[n_sweeps, 1] = low, high
        sweep(d, e, state, turns, n, low, high)
        n_sweeps += 1
        n += high - low
        for t in range(LANES):
            if begin[t] < p:
                d[begin[t], 0, t] -= state[3, 0, t]
                e[begin[t], 0, t] = state[2, 0, t]
                e[end[t], 0, t] = 0.0


@compiled
def _unfinished(d, e, begin):
    """The first part, from ``begin`` on, that is no single eigenvalue yet."""
    p = len(d)
    while begin < p:
        end = begin
        while end < p - 1 and abs(e[end]) > _EPS * (abs(d[end]) + abs(d[end + 1])):
            end += 1
        if end > begin:
            return begin, end
        begin += 1
    return p, 0


@compiled
def _shifted(d, e, begin, end):
    """The last diagonal entry of a part minus Wilkinson's shift."""
    x = (d[begin + 1] - d[begin]) / (2.0 * e[begin])
    size = np.sqrt(x * x + 1.0)
    return d[end] - d[begin] + e[begin] / (x + (size if x >= 0 else -size))


@compiled
def _rows_of_vectors(Z, j, M, turns, ranges):
    """Four rows of the matrices of eigenvectors, from j on."""
    Z[:] = 0.0
    for i in range(EDGE):
        Z[i, j + i] = 1.0
    for i in range(len(M) - 2, 0, -1):
        reflect(Z, 0, M, i, i)
    at = 0
    for low, high in ranges:
        rotate(Z, turns, at, low, high)
        at += high - low
