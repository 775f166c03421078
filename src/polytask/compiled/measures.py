"""What a point costs, and how far from the norm's dual ball its gradient is, feature by feature."""

from __future__ import annotations

import numpy as np

from polytask.compiled.feature_steps import (
    CHAIN,
    CHANGES,
    LARGEST,
    LENGTHS,
    SHARED,
    compiled,
    inner,
    length_of,
    shrunk,
    soft,
)

__all__ = ["dual", "dual_with_changes", "gap_of_squares", "penalty"]

_LEAST = 0.9  # near the optimum it is one
_ENDLESS = 1e300  # prices of next to nothing, which no step is enough for
_STEPS, _SETTLED = 100, 1e-12  # of Newton's method; relative step that is rounding


@inner
def gap_of_squares(value: float, slope: float, price: float, top: float) -> float:
    """As `polytask.solvers.norms.squares.gap_of_squares`."""
    value, most = max(value, 0.0), 1.0 / max(top, 1e-300)
    s = (2.0 * value - slope) / (2.0 * value) if value > 0 else most
    s = min(max(s, 0.0), most)
    return (1.0 - s) ** 2 * value + s * slope + price


@inner
def penalty(
    kind: int, B: np.ndarray, t: np.ndarray, l1: np.ndarray, l2: np.ndarray, l3: np.ndarray
) -> float:
    """The price of B (d, m), cut off at t (d,)."""
    d, m = B.shape
    total, whole = 0.0, kind != LARGEST and kind != SHARED
    for j in range(d):
        square, over, change = 0.0, 0.0, 0.0
        for i in range(m):
            size = abs(B[j, i])
            low = size if whole else min(size, t[j])
            over += size if whole else size - low
            square += low * low
        if kind == CHANGES:
            for i in range(m - 1):
                change += abs(B[j, i + 1] - B[j, i])
            change *= l3[j]
        total += l1[j] * over + l2[j] * (t[j] if kind == LARGEST else np.sqrt(square)) + change
    return total


@inner
def dual(
    kind: int,
    g: np.ndarray,
    l1: np.ndarray,
    l2: np.ndarray,
    l3: np.ndarray,
    work: np.ndarray,
    ends: np.ndarray,
) -> float:
    """The least s >= .9 such that prices s times as high allow the gradient g (d, m) at B = 0."""
    largest = _LEAST
    for j in range(len(g)):
        if kind in (LENGTHS, CHAIN, CHANGES):
            price = l3[j] if kind == CHANGES else 0.0
            largest = _dual_of_lengths(g[j], l1[j], l2[j], price, largest, work, ends)
            continue
        total = 0.0
        for i in range(g.shape[1]):
            size = abs(g[j, i])
            largest = max(largest, size / l1[j])
            total += size if kind == LARGEST else size * size
        largest = max(largest, (total if kind == LARGEST else np.sqrt(total)) / l2[j])
    return largest


@compiled
def dual_with_changes(g: np.ndarray, l1: np.ndarray, l2: np.ndarray, l3: np.ndarray) -> float:
    """The least s at all of which the gradient g (d, m) is allowed; infinite if there is none."""
    work, ends, largest = np.empty((6, g.shape[1])), np.empty(g.shape[1], np.int64), _LEAST
    for j in range(len(g)):
        largest = _dual_of_lengths(g[j], l1[j], l2[j], l3[j], largest, work, ends)
    if largest == _LEAST:
        largest = 0.0
        for j in range(len(g)):
            largest = _dual_of_lengths(g[j], l1[j], l2[j], l3[j], largest, work, ends)
    return largest


@inner
def _dual_of_lengths(
    g: np.ndarray, l1: float, l2: float, l3: float, s: float, work: np.ndarray, ends: np.ndarray
) -> float:
    """The least step from s on at which nothing of g is left.

    What is left has a length that is convex in the step, so that Newton's method climbs from below.
    """
    left = work[5]
    for _ in range(_STEPS):
        if l3 > 0:
            shrunk(g, s * l1, s * l3, left, work, ends)
        else:
            for i in range(len(g)):
                left[i] = soft(g[i], s * l1)
        length = length_of(left)
        if length <= s * l2 or length == 0:
            break
        if s > _ENDLESS:
            return np.inf
        price = 0.0
        for i in range(len(g)):
            price += l1 * abs(left[i])
            if l3 > 0 and i:
                price += l3 * abs(left[i] - left[i - 1])
        more = (length - s * l2) / (price / length + l2)
        s += more
        if more <= _SETTLED * s:
            break
    return s
