"""One pass over the rows of all tasks, rows[start[i]:start[i + 1]] those of task i.

The same numbers as `polytask.data.row_sums` and `polytask.data.Design` say.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["adjoint", "grams", "predict", "quadratic_forms", "residual_sums"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def predict(rows, start, theta):  # type: ignore[no-untyped-def]
    """w_i'x of every row, theta (m, p)."""
    out, p = np.empty(len(rows)), theta.shape[1]
    for i in range(len(theta)):
        w = theta[i]
        for k in range(start[i], start[i + 1]):
            found = 0.0
            for j in range(p):
                found += rows[k, j] * w[j]
            out[k] = found
    return out


@compiled
def adjoint(rows, start, u):  # type: ignore[no-untyped-def]
    """Sum u x of each task, (m, p)."""
    m, p = len(start) - 1, rows.shape[1]
    out = np.zeros((m, p))
    for i in range(m):
        for k in range(start[i], start[i + 1]):
            for j in range(p):
                out[i, j] += u[k] * rows[k, j]
    return out


@compiled
def grams(rows, start, v, wanted, out):  # type: ignore[no-untyped-def]
    """Sum v x x' of the tasks that are ``wanted`` (m,), written to out (m, p, p)."""
    p = rows.shape[1]
    total = np.empty((p, p))
    for i in range(len(out)):
        if not wanted[i]:
            continue
        total[:] = 0.0
        for k in range(start[i], start[i + 1]):
            for j in range(p):
                pull = v[k] * rows[k, j]
                for n in range(j + 1):
                    total[j, n] += pull * rows[k, n]
        for j in range(p):
            for n in range(j + 1):
                out[i, j, n] = out[i, n, j] = total[j, n]
    return out


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
def quadratic_forms(rows, start, V):  # type: ignore[no-untyped-def]
    """x'V_i x of every row, V (m, p, p) symmetric."""
    out, p = np.empty(len(rows)), rows.shape[1]
    for i in range(len(V)):
        for k in range(start[i], start[i + 1]):
            total = 0.0
            for j in range(p):
                part = 0.5 * rows[k, j] * V[i, j, j]
                for n in range(j):
                    part += rows[k, n] * V[i, j, n]
                total += 2.0 * part * rows[k, j]
            out[k] = total
    return out
