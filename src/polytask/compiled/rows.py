"""One pass over the rows of all tasks, rows[start[i]:start[i + 1]] those of task i.

The same numbers as `polytask.data.row_sums` and `polytask.data.Design` say.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.blocks import EDGE, LANES, add_gram, fetch

__all__ = ["adjoint", "form", "moments", "predict", "quadratic_forms", "residual_sums", "residuals"]

_AT_ONCE = 64  # rows that are scaled at once: they stay in the nearest cache

compiled = njit(cache=True, nogil=True, error_model="numpy")
summed = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})


@summed
def predict(rows, start, theta, some, out):  # type: ignore[no-untyped-def]
    """x'w_i of every row of some tasks, to out (N,)."""
    for i in some:
        for k in range(start[i], start[i + 1]):
            out[k] = _dot(rows[k], theta[i])


@summed
def adjoint(rows, start, u, some, out):  # type: ignore[no-untyped-def]
    """Sum u x of some tasks, to out (m, p)."""
    for i in some:
        out[i] = 0.0
        _add(out[i], u[start[i] : start[i + 1]], rows[start[i] : start[i + 1]])


@summed
def residuals(rows, start, y, weight, theta, some, f, out):  # type: ignore[no-untyped-def]
    """Both at once: f = x'w_i to f (N,), sum weight (f - y) x to out (m, p)."""
    u, p = np.empty(_AT_ONCE), rows.shape[1]
    for i in some:
        out[i] = 0.0
        for first in range(start[i], start[i + 1], _AT_ONCE):
            n = min(_AT_ONCE, start[i + 1] - first)
            for k in range(n):
                ahead = (first + k + n) * p
                fetch(rows, ahead, ahead + p)
                f[first + k] = _dot(rows[first + k], theta[i])
                u[k] = weight[first + k] * (f[first + k] - y[first + k])
            _add(out[i], u[:n], rows[first : first + n])


@summed
def _dot(x, w):  # type: ignore[no-untyped-def]
    total = 0.0
    for j in range(len(x)):
        total += x[j] * w[j]
    return total


@summed
def _add(total, u, rows):  # type: ignore[no-untyped-def]
    """Add sum u x to total, four rows at a time: it is loaded and stored a fourth as often."""
    n = len(u) // 4 * 4
    for k in range(0, n, 4):
        a, b, c, d = u[k], u[k + 1], u[k + 2], u[k + 3]
        w, x, y, z = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        for j in range(len(total)):
            total[j] += a * w[j] + b * x[j] + c * y[j] + d * z[j]
    for k in range(n, len(u)):
        a, w = u[k], rows[k]
        for j in range(len(total)):
            total[j] += a * w[j]


@compiled
def moments(rows, start, v, y, some, grams, cross):  # type: ignore[no-untyped-def]
    """Sum v x x' of some tasks to grams (m, p, p), and sum v y x to cross (m, p) if it is one."""
    p = rows.shape[1]
    q = p + min(len(cross), 1)  # y as one more column
    P = -(-q // LANES) * LANES
    Z, S = np.zeros((_AT_ONCE, P)), np.empty((P, P))
    for i in some:
        S[:] = 0.0
        for first in range(start[i], start[i + 1], _AT_ONCE):
            n = min(_AT_ONCE, start[i + 1] - first)
            for k in range(n):
                root, row = np.sqrt(v[first + k]), rows[first + k]
                for j in range(p):
                    Z[k, j] = root * row[j]
                if q > p:
                    Z[k, p] = root * y[first + k]
            _add_gram(S, q, Z, n, rows, first + n)
        for j in range(p):
            for e in range(j + 1):
                grams[i, j, e] = grams[i, e, j] = S[j, e]
        if q > p:
            for j in range(p):
                cross[i, j] = S[p, j]


@compiled
def _add_gram(S, q, Z, n, rows, then):  # type: ignore[no-untyped-def]
    """Add Z'Z of n rows and q columns to the lower triangle of S; fetch n rows from ``then`` on."""
    p, ahead, blocks = rows.shape[1], 0, 0
    for a in range(0, q, EDGE):
        blocks += -(-(a + EDGE) // LANES)
    meanwhile = -(-n * p // blocks)
    for a in range(0, q, EDGE):
        for e in range(0, a + EDGE, LANES):
            fetch(rows, then * p + ahead, then * p + ahead + meanwhile)
            ahead += meanwhile
            add_gram(S, a, e, Z, n)


@compiled
def residual_sums(rows, start, y, weight, theta):  # type: ignore[no-untyped-def]
    """Of e = y - w_i'x: sum weight e x (m, p) and sum weight e² (m,) of each task."""
    m, p = theta.shape
    cross, square, w, total = np.zeros((m, p)), np.zeros(m), np.zeros(p), np.zeros(p)
    for i in range(m):
        at = 0.0
        for j in range(p):
            w[j], total[j] = theta[i, j], 0.0
        for k in range(start[i], start[i + 1]):
            e = y[k]
            for j in range(p):
                e -= rows[k, j] * w[j]
            pull = weight[k] * e
            at += pull * e
            for j in range(p):
                total[j] += pull * rows[k, j]
        square[i] = at
        for j in range(p):
            cross[i, j] = total[j]
    return cross, square


@compiled
def form(x, V):  # type: ignore[no-untyped-def]
    """X'V x of a symmetric V."""
    total = 0.0
    for j in range(len(x)):
        part = 0.5 * x[j] * V[j, j]
        for n in range(j):
            part += x[n] * V[j, n]
        total += 2.0 * part * x[j]
    return total


@compiled
def quadratic_forms(rows, start, V):  # type: ignore[no-untyped-def]
    """x'V_i x of every row, V (m, p, p) symmetric."""
    out = np.empty(len(rows))
    for i in range(len(V)):
        for k in range(start[i], start[i + 1]):
            out[k] = form(rows[k], V[i])
    return out
