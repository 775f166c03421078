# mypy: disable-error-code="no-untyped-def"
"""How far rows lie from their task's median, see `polytask.mixed.task_noise`: one pass."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["spreads"]

_FEW = 30  # rows of which all are looked at
_NEAR = 4.0  # standard errors of the mean within which the median is looked for first
_COUNTED = 64  # numbers of which each is compared with all: no branch goes wrong

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def spreads(rows, start, y, weight, theta, V, least):
    """The fields of `polytask.mixed.task_noise.Spreads`, of rows in the order of tasks.

    Views of rows would be counted by those who hold them, which takes longer than the sums.
    """
    (m, p), most = theta.shape, 0
    for i in range(m):
        most = max(most, start[i + 1] - start[i])
    free, square, size, within = np.zeros(m), np.zeros(m), np.zeros(m), np.zeros(m)
    e, left = np.empty(most), np.empty(most)
    for i in range(m):
        first, n, total, total_square = start[i], start[i + 1] - start[i], 0.0, 0.0
        for t in range(n):
            off, form = y[first + t], 0.0
            for j in range(p):
                x = rows[first + t, j]
                part = 0.5 * x * V[i, j, j]
                for k in range(j):
                    part += rows[first + t, k] * V[i, j, k]
                form += 2.0 * part * x
                off -= x * theta[i, j]
            e[t], left[t] = off, form
        for t in range(n):
            w = weight[first + t]
            share = min(max(1.0 - left[t] * w, least), 1.0)
            square[i] += e[t] * e[t] * w
            free[i] += share
            e[t] *= np.sqrt(w / share)
            total += e[t]
            total_square += e[t] * e[t]
        if n > 0:
            mean = total / n
            deviation = np.sqrt(max(total_square / n - mean**2, 0.0))
            size[i], within[i] = _about(e, n, _median(e, n, mean, deviation, left))
    return free, square, size, within


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
    for t in range(n):
        near[t] = e[t]
    return _middle(near, n, k, n % 2 == 1)


@compiled
def _middle(a, n, k, odd):
    """The number at place k of a[:n] in order, or the mean of it and the one before."""
    if n <= _COUNTED:
        return _counted(a, n, k, odd)
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


@compiled
def _counted(a, n, k, odd):
    """The same, by how many are smaller."""
    x, below = a[0], 0
    for i in range(n):
        x, below, up_to = a[i], 0, 0
        for t in range(n):
            below += a[t] < x
            up_to += a[t] <= x
        if below <= k < up_to:
            break
    if odd or below < k:
        return x
    before = -np.inf
    for t in range(n):
        before = max(before, a[t] if a[t] < x else -np.inf)
    return 0.5 * (x + before)
