# mypy: disable-error-code="no-untyped-def"
"""How far rows lie from their task's median, see `polytask.mixed.task_noise`: one pass."""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.rows import form

__all__ = ["spreads"]

_FEW = 30  # rows of which all are looked at
_NEAR = 4.0  # standard errors of the mean within which the median is looked for first

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def spreads(rows, start, y, weight, theta, V, least):
    """The fields of `polytask.mixed.task_noise.Spreads`, of rows in the order of tasks."""
    m, most = len(theta), 0
    for i in range(m):
        most = max(most, start[i + 1] - start[i])
    free, square, size, within = np.zeros(m), np.zeros(m), np.zeros(m), np.zeros(m)
    e, left = np.empty(most), np.empty(most)
    for i in range(m):
        n, total, total_square = start[i + 1] - start[i], 0.0, 0.0
        for t in range(n):
            k = start[i] + t
            e[t], left[t] = _residual(rows[k], y[k], theta[i], V[i])
        w = weight[start[i] : start[i + 1]]
        for t in range(n):
            left[t] = min(max(1.0 - left[t] * w[t], least), 1.0)
        for t in range(n):
            square[i] += e[t] * e[t] * w[t]
            free[i] += left[t]
        for t in range(n):
            e[t] *= np.sqrt(w[t] / left[t])
        for t in range(n):
            total += e[t]
            total_square += e[t] * e[t]
        if n > 0:
            mean = total / n
            deviation = np.sqrt(max(total_square / n - mean**2, 0.0))
            size[i], within[i] = _about(e, n, _median(e, n, mean, deviation, left))
    return free, square, size, within


@compiled
def _residual(x, y, w, V):
    """Residual y - w'x, and x'V x of a symmetric V."""
    for j in range(len(x)):
        y -= x[j] * w[j]
    return y, form(x, V)


@compiled
def _about(e, n, middle):
    """Mean of the distances of e[:n] from the middle, and their squares about it."""
    mean, square = 0.0, 0.0
    for t in range(n):
        e[t] = abs(e[t] - middle)
        mean += e[t]
    mean /= n
    for t in range(n):
        square += (e[t] - mean) ** 2
    return mean, square


@compiled
def _median(e, n, mean, deviation, near):
    """Of e[:n]; first among those near the mean, which are copied."""
    k, reach = n // 2, _NEAR / np.sqrt(n) * deviation
    if n > _FEW:
        count, below = 0, 0
        for t in range(n):
            off, near[count] = e[t] - mean, e[t]
            below += off < -reach
            count += (off >= -reach) & (off <= reach)
        if below < k < below + count:
            return _middle(near, count, k - below, n % 2 == 1)
    near[:n] = e[:n]
    return _middle(near, n, k, n % 2 == 1)


@compiled
def _middle(a, n, k, odd):
    """The number at place k of a[:n] in order, or the mean of it and the one before."""
    low, high = 0, n - 1
    while low < high:
        pivot, i, j = a[(low + high) // 2], low, high
        while i <= j:
            while a[i] < pivot:
                i += 1
            while a[j] > pivot:
                j -= 1
            if i <= j:
                a[i], a[j] = a[j], a[i]
                i, j = i + 1, j - 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return a[k] if odd else 0.5 * (a[k] + a[:k].max())
