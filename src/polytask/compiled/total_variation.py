"""Sequences that change at few places, see `polytask.penalties.total_variation`: column by column.

The tube of the taut string is walked once, from its begin to where it has to bend (Condat, A direct
algorithm for 1-D total variation denoising, IEEE Signal Processing Letters 2013), here in steps as
long as the curvatures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["few_changes", "taut"]

_HOW: Any = {"cache": True, "nogil": True, "error_model": "numpy"}
compiled = njit(**_HOW)
inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@compiled
def few_changes(b: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Each row of b (d, m) near itself, a difference at clip (d,)."""
    d, m = b.shape
    found, ends, signs = np.empty((d, m)), np.empty(m, np.int64), np.empty(m)
    for j in range(d):
        taut(b[j], np.ones(m), clip[j], found[j], ends, signs)
    return found


@compiled
def taut(
    pull: np.ndarray, c: np.ndarray, clip: float, x: np.ndarray, ends: np.ndarray, signs: np.ndarray
) -> None:
    """The x (m,) that minimizes sum ½ c_i x_i² - pull_i x_i + clip sum |x_i+1 - x_i|, c > 0.

    Of each piece, ``ends`` says where it does, ``signs`` in which direction it is left.
    """
    if clip > 0:
        _level(pull, c, clip, ends, signs, _bends(pull, c, clip, ends, signs), x)
    else:
        for i in range(len(x)):
            x[i] = pull[i] / c[i]


@inner
def _bends(
    pull: np.ndarray, c: np.ndarray, clip: float, ends: np.ndarray, signs: np.ndarray
) -> int:
    """Where pieces end, and the direction in which each is left: their number."""
    m, n, k, low_end, high_end = len(pull), 0, 0, 0, 0
    low, high, below, above = (pull[0] - clip) / c[0], (pull[0] + clip) / c[0], clip, -clip
    mass = c[0]  # of the piece so far
    while True:
        if k == m - 1:
            if below < 0.0:
                ends[n], signs[n], n = low_end, -1.0, n + 1
                k = low_end = low_end + 1
                low, below, mass = pull[k] / c[k], clip, c[k]
                above = pull[k] + clip - c[k] * high
            elif above > 0.0:
                ends[n], signs[n], n = high_end, 1.0, n + 1
                k = high_end = high_end + 1
                high, above, mass = pull[k] / c[k], -clip, c[k]
                below = pull[k] - clip - c[k] * low
            else:
                ends[n], signs[n] = m - 1, 0.0
                return n + 1
            continue
        below += pull[k + 1] - c[k + 1] * low
        if below < -clip:
            ends[n], signs[n], n = low_end, -1.0, n + 1
            k = low_end = high_end = low_end + 1
            low, high, below, above = pull[k] / c[k], (pull[k] + 2.0 * clip) / c[k], clip, -clip
            mass = c[k]
            continue
        above += pull[k + 1] - c[k + 1] * high
        if above > clip:
            ends[n], signs[n], n = high_end, 1.0, n + 1
            k = low_end = high_end = high_end + 1
            low, high, below, above = (pull[k] - 2.0 * clip) / c[k], pull[k] / c[k], clip, -clip
            mass = c[k]
            continue
        k += 1
        mass += c[k]
        if below >= clip:
            low_end = k
            low += (below - clip) / mass
            below = clip
        if above <= -clip:
            high_end = k
            high += (above + clip) / mass
            above = -clip


@inner
def _level(
    pull: np.ndarray,
    c: np.ndarray,
    clip: float,
    ends: np.ndarray,
    signs: np.ndarray,
    n: int,
    x: np.ndarray,
) -> None:
    """The mean of each piece, moved by clip at its ends."""
    first, before = 0, 0.0
    for i in range(n):
        total, mass = 0.0, 0.0
        for k in range(first, ends[i] + 1):
            total += pull[k]
            mass += c[k]
        level = (total + clip * (signs[i] - before)) / mass
        for k in range(first, ends[i] + 1):
            x[k] = level
        first, before = ends[i] + 1, signs[i]
