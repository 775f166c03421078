"""One pass over the rows of all tasks, rows[start[i]:start[i + 1]] those of task i.

The same numbers as `polytask.data.row_sums` says.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["quadratic_forms", "residual_sums"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


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
