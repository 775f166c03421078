"""The best coefficients of one feature in all tasks, in curvatures of single coefficients.

Of one part: l1 ‖b‖_1 + l2 ‖b‖, kind LENGTHS; with l3 sum |b_i+1 - b_i| beside it, kind CHANGES; and
l2 ‖b‖ with the square b'K b, K zero but between neighbours, kind CHAIN. Of the sum b = p + q of a
shared part and one of each task alone: min over p of l2 max_i |p_i| + l1 ‖b - p‖_1, kind LARGEST,
or of l2 ‖p‖ + l1 ‖b - p‖_1, kind SHARED. There p is b cut off at a height t.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from polytask.compiled.total_variation import taut

__all__ = [
    "CHAIN",
    "CHANGES",
    "LARGEST",
    "LENGTHS",
    "SHARED",
    "best",
    "compiled",
    "inner",
    "length_of",
    "next_share",
    "shrunk",
    "soft",
]

LENGTHS, LARGEST, SHARED, CHANGES, CHAIN = 0, 1, 2, 3, 4
_STEPS = 100  # of Newton's method
_SETTLED, _NEAR = 1e-12, 1e-6  # relative step that is rounding, and whose square is
_MENDED = 1e-4  # relative step that the next sweep mends
_HOW: Any = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz"},
}
compiled = njit(**_HOW)
inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)  # called by others alone


@inner
def best(
    kind: int,
    c: np.ndarray,
    between: np.ndarray,
    l1: float,
    l2: float,
    l3: float,
    b: np.ndarray,
    t: float,
    pull: np.ndarray,
    new: np.ndarray,
    work: np.ndarray,
    ends: np.ndarray,
) -> float:
    """The ``new`` b that minimizes sum ½ c_i b_i² - pull_i b_i + its price, and the new height.

    ``between`` (m,) are curvatures between neighbours, ``b`` is near the answer; the pull is lost.
    """
    if kind == LENGTHS:
        _shortened(c, b, l1, l2, pull, new)
    elif kind == CHANGES:
        _changing(c, b, l1, l2, l3, pull, new, work, ends)
    elif kind == CHAIN:
        _chained(c, between, b, l2, pull, new, work)
    else:
        t = _height(kind, c, pull, l1, l2, t)
        for i in range(len(b)):
            u = abs(pull[i])
            if u - c[i] * t >= l1:
                high = (u - l1) / c[i]
            elif kind == LARGEST:
                high = min(u / c[i], t)
            else:
                high = u * t / (l1 + c[i] * t)
            new[i] = high if pull[i] > 0 else -high
    return t


@inner
def soft(x: float, by: float) -> float:
    """X nearer to zero, or zero."""
    return max(x - by, 0.0) if x > 0 else min(x + by, 0.0)


@inner
def length_of(x: np.ndarray) -> float:
    """The Euclidean norm."""
    square = 0.0
    for i in range(len(x)):
        square += x[i] * x[i]
    return np.sqrt(square)


@inner
def _clear(x: np.ndarray) -> None:
    for i in range(len(x)):
        x[i] = 0.0


@inner
def _shortened(
    c: np.ndarray, b: np.ndarray, l1: float, l2: float, pull: np.ndarray, new: np.ndarray
) -> None:
    m, top = len(b), 0.0
    for i in range(m):
        pull[i] = soft(pull[i], l1)
        top = max(top, c[i])
    far, length = length_of(pull) - l2, 1.0
    if far <= 0:
        _clear(new)
        return
    if l2 > 0:
        length = _length(pull, c, l2, max(far / top, 0.0), length_of(b))
    for i in range(m):
        new[i] = pull[i] * length / (c[i] * length + l2)


@inner
def _length(pull: np.ndarray, c: np.ndarray, l2: float, least: float, length: float) -> float:
    """The length l of b = l s, s = pull / (c l + l2): see `penalties.joint.shortened`."""
    length = max(length, least)
    for _ in range(_STEPS):
        square, slope = 0.0, 0.0
        for i in range(len(pull)):
            near = 1.0 / (c[i] * length + l2)
            share = (pull[i] * near) ** 2
            square += share
            slope += share * c[i] * near
        new = max(length + (np.sqrt(square) - 1.0) * square / slope, least)
        settled = abs(new - length) <= _NEAR * new
        length = new
        if settled:
            break
    return length


@inner
def _height(
    kind: int, c: np.ndarray, pull: np.ndarray, l1: float, l2: float, height: float
) -> float:
    """The t >= 0 at which what b leaves of the pull has the length l2, as the shared part asks.

    That is v_i = min(l1, |pull_i| - c_i t), of which all is added up, or, of the other kind,
    min(l1, l1 |pull_i| / (l1 + c_i t)). Both fall in t. Newton's method, for 1 / ‖v‖ in the second,
    within what encloses t.
    """
    low, high, t = 0.0, 0.0, 0.0
    for i in range(len(pull)):
        far = abs(pull[i] / c[i])
        high = max(high, far) if kind == LARGEST else high + far * far
    high = high if kind == LARGEST else l1 * np.sqrt(high) / l2
    for n in range(_STEPS):
        total, slope = 0.0, 0.0
        for i in range(len(pull)):
            u, by = abs(pull[i]), c[i] * t
            if kind == LARGEST:
                v = min(max(u - by, 0.0), l1)
                total += v
                slope += c[i] if 0 < u - by < l1 else 0.0
            else:
                v = min(l1 * u / (l1 + by), l1)
                total += v * v
                slope += v * v * c[i] / (l1 + by) if u < l1 + by else 0.0
        length = total if kind == LARGEST else np.sqrt(total)
        if n == 0:  # at zero
            if length <= l2:
                return 0.0
            t = height if 0 < height < high else 0.5 * high
            continue
        if length > l2:
            low = t
        else:
            high = t
        more = (total - l2) if kind == LARGEST else total * (length / l2 - 1.0)
        new = t + more / slope if slope > 0 else -1.0
        new = new if low <= new <= high else 0.5 * (low + high)
        settled = abs(new - t) <= _SETTLED * new
        t = new
        if settled:
            break
    return t


@inner
def next_share(y: float, size: float, bend: float, price: float, most: float) -> float:
    """A step of Newton's method for 1 / ‖b‖ - y / price, concave in y, as in trust regions.

    Where (H + y) b = pull, ``size`` is ‖b‖ and ``bend`` b'(H + y)^-1 b.
    """
    slope = bend / size**3 - 1.0 / price
    return min(y - (1.0 / size - y / price) / slope, most) if slope < 0 else most


@inner
def _chained(
    c: np.ndarray,
    between: np.ndarray,
    b: np.ndarray,
    l2: float,
    pull: np.ndarray,
    new: np.ndarray,
    work: np.ndarray,
) -> None:
    """(H + y) b = pull with y = l2 / ‖b‖, H of three diagonals, by Cholesky's factors of H + y.

    By `next_share`, in y.
    """
    m, top = len(b), 0.0
    for i in range(m):
        top = max(top, c[i] + abs(between[i]) + (abs(between[i - 1]) if i else 0.0))
    far, length = length_of(pull) - l2, length_of(b)
    if far <= 0:
        _clear(new)
        return
    most = l2 * top / far
    y = min(l2 / length, most) if length > 0 else most
    root, step, side = work[0], work[1], work[2]
    for _ in range(_STEPS):
        for i in range(m):
            over = side[i - 1] if i else 0.0
            root[i] = 1.0 / np.sqrt(c[i] + y - over * over)
            side[i] = between[i] * root[i]
            new[i] = (pull[i] - (over * new[i - 1] if i else 0.0)) * root[i]
        for i in range(m - 1, -1, -1):
            new[i] = (new[i] - (side[i] * new[i + 1] if i < m - 1 else 0.0)) * root[i]
        for i in range(m):
            step[i] = (new[i] - (side[i - 1] * step[i - 1] if i else 0.0)) * root[i]
        to = next_share(y, length_of(new), length_of(step) ** 2, l2, most)
        settled = abs(to - y) <= _MENDED * y
        y = to
        if settled:
            break


@inner
def _changing(
    c: np.ndarray,
    b: np.ndarray,
    l1: float,
    l2: float,
    l3: float,
    pull: np.ndarray,
    new: np.ndarray,
    work: np.ndarray,
    ends: np.ndarray,
) -> None:
    """What changes at few places, is zero in some and is shortened as a whole.

    Where it is positive it is what l3 alone makes of the pull less l1, where negative of the pull
    plus l1: what exceeds a level depends on slopes at that level alone. The length's share y =
    l2 / ‖b‖ of the curvature is found as in `_chained`, the pieces held.
    """
    m, top = len(b), 0.0
    bent, ones = work[0], work[1]
    for i in range(m):
        top = max(top, c[i])
        ones[i] = 1.0
    y = 0.0
    if l2 > 0:
        _thresholded(pull, ones, l1, l3, new, work, ends)
        far, length = length_of(new) - l2, length_of(b)
        if far <= 0:
            _clear(new)
            return
        most = l2 * top / far
        y = min(l2 / length, most) if length > 0 else most
    for _ in range(_STEPS):
        for i in range(m):
            bent[i] = c[i] + y
        _thresholded(pull, bent, l1, l3, new, work, ends)
        size = length_of(new)
        if l2 == 0 or size == 0:
            return
        to = next_share(y, size, _bend(new, bent), l2, most)
        settled = abs(to - y) <= _MENDED * y
        y = to
        if settled:
            break


@inner
def _thresholded(
    pull: np.ndarray,
    c: np.ndarray,
    l1: float,
    l3: float,
    x: np.ndarray,
    work: np.ndarray,
    ends: np.ndarray,
) -> None:
    m, moved, other, signs = len(x), work[2], work[3], work[4]
    for i in range(m):
        moved[i] = pull[i] - l1
    taut(moved, c, l3, x, ends, signs)
    if l1 > 0:
        for i in range(m):
            moved[i] = pull[i] + l1
        taut(moved, c, l3, other, ends, signs)
        for i in range(m):
            x[i] = max(x[i], 0.0) + min(other[i], 0.0)


@inner
def _bend(x: np.ndarray, c: np.ndarray) -> float:
    """The sum of x_i² over the mean curvature of its piece."""
    m, first, total = len(x), 0, 0.0
    while first < m:
        last, mass = first, c[first]
        while last + 1 < m and x[last + 1] == x[first]:
            last += 1
            mass += c[last]
        n = last + 1 - first
        total += n * n * x[first] * x[first] / mass
        first = last + 1
    return total


@inner
def shrunk(
    g: np.ndarray,
    l1: float,
    l3: float,
    x: np.ndarray,
    work: np.ndarray,
    ends: np.ndarray,
) -> None:
    """What l1 and l3 leave of g."""
    for i in range(len(g)):
        work[1, i] = 1.0
    _thresholded(g, work[1], l1, l3, x, work, ends)
