"""The coefficients of one feature in all tasks at a time: their best values, and what they cost.

Of one part: l1 ‖b‖_1 + l2 ‖b‖, kind LENGTHS. Of the sum b = p + q of a shared part and one of each
task alone: min over p of l2 max_i |p_i| + l1 ‖b - p‖_1, kind LARGEST, or of l2 ‖p‖ + l1 ‖b - p‖_1,
kind SHARED. There p is b cut off at a height t, which is kept beside b.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["LARGEST", "LENGTHS", "compiled", "measures", "sweep"]

LENGTHS, LARGEST, SHARED = 0, 1, 2
_STEPS, _SETTLED = 100, 1e-12  # of Newton's method; relative step that is rounding
compiled = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


@compiled
def sweep(
    G: np.ndarray,
    scale: np.ndarray,
    h: np.ndarray,
    held: np.ndarray,
    tie: np.ndarray,
    c: np.ndarray,
    kind: int,
    B: np.ndarray,
    t: np.ndarray,
    g: np.ndarray,
    l1: np.ndarray,
    l2: np.ndarray,
) -> None:
    """Minimize F(B) + penalty(B) in one feature after the other, in place.

    F has the Hessian H_i = scale_i G_i - h_i h_i' / held_i in each task and, where ``tie`` is not
    zero, a level that all share.

    Parameters
    ----------
    G : ndarray of shape (m, p, p) or (1, p, p)
        Symmetric; the first d rows and columns count.
    scale, held, tie : ndarray of shape (m,)
        Factors of G; curvature of levels, zero where there are none; its share that ties them.
    h : ndarray of shape (m, d)
        Products with the levels.
    c : ndarray of shape (d, m)
        Positive curvatures, no less than the diagonals of the H_i.
    kind : int
        Of the penalty.
    B, t, g : ndarray of shape (m, d), (d,), (m, d)
        A point, its heights and F's gradient there; they become the next ones.
    l1, l2 : ndarray of shape (d,)
    """
    m, d = g.shape
    delta, pull = np.empty(m), np.empty(m)
    bound = 0.0
    for i in range(m):
        bound += tie[i] * (held[i] - tie[i] * held[i])
    for j in range(d):
        if _best(kind, c[j], B[:, j], t, j, g[:, j], l1[j], l2[j], pull, delta):
            _follow(G, scale, h, held, tie, bound, j, delta, g)


@compiled
def _best(
    kind: int,
    c: np.ndarray,
    b: np.ndarray,
    t: np.ndarray,
    j: int,
    g: np.ndarray,
    l1: float,
    l2: float,
    pull: np.ndarray,
    delta: np.ndarray,
) -> bool:
    """The best b, and t[j], in curvatures c at a gradient g: whether b moved, in delta how far."""
    m = len(b)
    for i in range(m):
        pull[i] = c[i] * b[i] - g[i]
    if kind == LENGTHS:
        _shortened(c, b, l1, l2, pull, delta)
    else:
        t[j] = _height(kind, c, pull, l1, l2, t[j])
        for i in range(m):
            u, top = abs(pull[i]), t[j]
            if u - c[i] * top >= l1:
                new = (u - l1) / c[i]
            elif kind == LARGEST:
                new = min(u / c[i], top)
            else:
                new = u * top / (l1 + c[i] * top)
            delta[i] = new if pull[i] > 0 else -new
    moved = False
    for i in range(m):
        new = delta[i]
        delta[i] = new - b[i]
        moved |= delta[i] != 0
        b[i] = new
    return moved


@compiled
def _shortened(
    c: np.ndarray, b: np.ndarray, l1: float, l2: float, pull: np.ndarray, new: np.ndarray
) -> None:
    m = len(b)
    square, length, top = 0.0, 0.0, 0.0
    for i in range(m):
        p = pull[i]
        p = max(p - l1, 0.0) if p > 0 else min(p + l1, 0.0)
        pull[i] = p
        square += p * p
        length += b[i] * b[i]
        top = max(top, c[i])
    far = np.sqrt(square) - l2
    if far <= 0:
        for i in range(m):
            new[i] = 0.0
        return
    length = _length(pull, c, l2, max(far / top, 0.0), np.sqrt(length)) if l2 > 0 else 1.0
    for i in range(m):
        new[i] = pull[i] * length / (c[i] * length + l2)


@compiled
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
        settled = abs(new - length) <= _SETTLED * new
        length = new
        if settled:
            break
    return length


@compiled
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


@compiled
def _follow(
    G: np.ndarray,
    scale: np.ndarray,
    h: np.ndarray,
    held: np.ndarray,
    tie: np.ndarray,
    bound: float,
    j: int,
    delta: np.ndarray,
    g: np.ndarray,
) -> None:
    """F's gradient after the coefficients of a feature moved."""
    m, d = g.shape
    level = 0.0
    if bound > 0:
        for i in range(m):
            level -= tie[i] * h[i, j] * delta[i]
        level /= bound
    for i in range(m):
        row = G[i if len(G) > 1 else 0, j]
        by = scale[i] * delta[i]
        for k in range(d):
            g[i, k] += row[k] * by
        if held[i] > 0:
            by = tie[i] * level - h[i, j] * delta[i] / held[i]
            for k in range(d):
                g[i, k] += h[i, k] * by


@compiled
def measures(
    kind: int,
    B: np.ndarray,
    t: np.ndarray,
    g: np.ndarray,
    g_zero: np.ndarray,
    l1: np.ndarray,
    l2: np.ndarray,
) -> tuple[float, float, float, float]:
    """The products of B with g and g_zero, its penalty, and the least s >= .9 of which g is within.

    B (m, d) is cut off at t (d,); within s are gradients that s l1 and s l2 allow at B = 0.
    """
    along, at_zero = 0.0, 0.0
    for i in range(B.shape[0]):
        for k in range(B.shape[1]):
            along += B[i, k] * g[i, k]
            at_zero += B[i, k] * g_zero[i, k]
    return along, at_zero, _penalty(kind, B, t, l1, l2), _dual(kind, g, l1, l2)


@compiled
def _penalty(kind: int, B: np.ndarray, t: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> float:
    m, d = B.shape
    square, over = np.zeros(d), np.zeros(d)
    for i in range(m):
        for k in range(d):
            size = abs(B[i, k])
            low = size if kind == LENGTHS else min(size, t[k])
            over[k] += size if kind == LENGTHS else size - low
            square[k] += low * low
    total = 0.0
    for k in range(d):
        total += l1[k] * over[k] + l2[k] * (t[k] if kind == LARGEST else np.sqrt(square[k]))
    return total


@compiled
def _dual(kind: int, g: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> float:
    if kind == LENGTHS:
        return _dual_of_lengths(g, l1, l2)
    m, d = g.shape
    total, largest = np.zeros(d), 0.9
    for i in range(m):
        for k in range(d):
            size = abs(g[i, k])
            largest = max(largest, size / l1[k])
            total[k] += size if kind == LARGEST else size * size
    for k in range(d):
        largest = max(largest, (total[k] if kind == LARGEST else np.sqrt(total[k])) / l2[k])
    return largest


@compiled
def _dual_of_lengths(g: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> float:
    """The least t >= .9 at which shrinkage by t l1 and t l2 leaves nothing of g."""
    m, d = g.shape
    square, price, t = np.empty(d), np.empty(d), np.empty(d)
    for k in range(d):
        t[k] = 0.9  # near the optimum it is one
    for _ in range(_STEPS):
        for k in range(d):
            square[k] = price[k] = 0.0
        for i in range(m):
            for k in range(d):
                left = max(abs(g[i, k]) - t[k] * l1[k], 0.0)
                square[k] += left * left
                price[k] += l1[k] * left
        most = 0.0
        for k in range(d):
            length = np.sqrt(square[k])
            if length > t[k] * l2[k]:
                more = (length - t[k] * l2[k]) / (price[k] / length + l2[k])
                t[k] += more
                most = max(most, more / t[k])
        if most <= _SETTLED:
            break
    largest = 0.9
    for k in range(d):
        largest = max(largest, t[k])
    return largest
