# mypy: disable-error-code="no-untyped-def"
"""Sequences that change at few places, see `polytask.penalties.total_variation`: column by column.

The tube of the taut string is walked once, from its begin to where it has to bend (Condat, A direct
algorithm for 1-D total variation denoising, IEEE Signal Processing Letters 2013).
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["few_changes"]

compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def few_changes(b, clip):
    """Each row of b (d, m) near itself, a difference at clip (d,)."""
    d, m = b.shape
    found, ends = np.empty((d, m)), np.empty(m, np.int64)
    for j in range(d):
        if clip[j] > 0:
            n, sign = _bends(b[j], clip[j], ends, found[j])
            _level(b[j], clip[j], ends, sign, n, found[j])
        else:
            found[j] = b[j]
    return found


@compiled
def _bends(y, clip, ends, work):
    """Where pieces end, and work[i] the direction in which piece i is left: their number, work."""
    m, n, k, begin, low_end, high_end = len(y), 0, 0, 0, 0, 0
    low, high, below, above = y[0] - clip, y[0] + clip, clip, -clip
    while True:
        if k == m - 1:
            if below < 0.0:
                ends[n], work[n], n, begin = low_end, -1.0, n + 1, low_end + 1
                k = low_end = begin
                low, below = y[k], clip
                above = low + below - high
            elif above > 0.0:
                ends[n], work[n], n, begin = high_end, 1.0, n + 1, high_end + 1
                k = high_end = begin
                high, above = y[k], -clip
                below = high + above - low
            else:
                ends[n], work[n] = m - 1, 0.0
                return n + 1, work[: n + 1].copy()
            continue
        below += y[k + 1] - low
        if below < -clip:
            ends[n], work[n], n, begin = low_end, -1.0, n + 1, low_end + 1
            k = low_end = high_end = begin
            low, high, below, above = y[k], y[k] + 2.0 * clip, clip, -clip
            continue
        above += y[k + 1] - high
        if above > clip:
            ends[n], work[n], n, begin = high_end, 1.0, n + 1, high_end + 1
            k = low_end = high_end = begin
            low, high, below, above = y[k] - 2.0 * clip, y[k], clip, -clip
            continue
        k += 1
        if below >= clip:
            low_end = k
            low += (below - clip) / (k - begin + 1)
            below = clip
        if above <= -clip:
            high_end = k
            high += (above + clip) / (k - begin + 1)
            above = -clip


@compiled
def _level(y, clip, ends, sign, n, L):
    """The mean of each piece, moved by clip at its ends."""
    first, pull = 0, 0.0
    for i in range(n):
        total = 0.0
        for k in range(first, ends[i] + 1):
            total += y[k]
        level = (total + clip * (sign[i] - pull)) / (ends[i] + 1 - first)
        L[first : ends[i] + 1] = level
        first, pull = ends[i] + 1, sign[i]
