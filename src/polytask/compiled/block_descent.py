"""Block coordinate descent: the coefficients of one feature in all tasks at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["descend"]

_KEPT = 3
_STEPS, _SETTLED = 50, 1e-12  # of Newton's method; relative step that is rounding
_LEAST = 1e-290  # trace of them: the inverse of less is no number
_RIDGE = 1e-12  # of the differences' products, where they are nearly dependent
_compiled = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)


@_compiled
def descend(
    G: np.ndarray,
    scale: np.ndarray,
    h: np.ndarray,
    held: np.ndarray,
    tie: np.ndarray,
    c: np.ndarray,
    B: np.ndarray,
    g: np.ndarray,
    g_zero: np.ndarray,
    f_zero: float,
    l1: np.ndarray,
    l2: np.ndarray,
    tol: float,
    most: int,
) -> int:
    """Minimize F(B) + sum_ij l1_j |b_ij| + sum_j l2_j ‖b^j‖ in place; sweeps until a gap of tol.

    F has the Hessian H_i = scale_i G_i - h_i h_i' / held_i in each task and, where ``tie`` is not
    zero, a level that all share. After some sweeps the combination of them with the least change
    is tried (Anderson acceleration; Bertrand and Massias, AISTATS 2021).

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
    B, g : ndarray of shape (m, d)
        A point and F's gradient there; they become the last ones.
    g_zero, f_zero : ndarray of shape (m, d), float
        F's gradient and value at B = 0.
    l1, l2 : ndarray of shape (d,)

    Returns
    -------
    int
        Sweeps; ``most`` where the gap was not reached.
    """
    m, d = B.shape
    points, slopes = np.empty((_KEPT + 1, m, d)), np.empty((_KEPT + 1, m, d))
    delta, pull = np.empty(m), np.empty(m)
    bound = 0.0
    for i in range(m):
        bound += tie[i] * (held[i] - tie[i] * held[i])
    n_kept = 0
    for n in range(most):
        if _gap(B, g, g_zero, f_zero, l1, l2) <= tol:
            return n
        for j in range(d):
            if _feature(c[j], B[:, j], g[:, j], l1[j], l2[j], pull, delta):
                _follow(G, scale, h, held, tie, bound, j, delta, g)
        _copy(B, points[n_kept])
        _copy(g, slopes[n_kept])
        n_kept += 1
        if n_kept > _KEPT:
            _extrapolate(points, slopes, B, g, g_zero, l1, l2)
            n_kept = 0
    return most


@_compiled
def _feature(
    c: np.ndarray,
    b: np.ndarray,
    g: np.ndarray,
    l1: float,
    l2: float,
    pull: np.ndarray,
    delta: np.ndarray,
) -> bool:
    """The best b of a feature in the curvatures c; whether it moved, and by how much in delta."""
    m = len(b)
    square, length, top = 0.0, 0.0, 0.0
    for i in range(m):
        p = c[i] * b[i] - g[i]
        p = max(p - l1, 0.0) if p > 0 else min(p + l1, 0.0)
        pull[i] = p
        square += p * p
        length += b[i] * b[i]
        top = max(top, c[i])
    far = np.sqrt(square) - l2
    moved = False
    if far <= 0:
        for i in range(m):
            delta[i] = -b[i]
            moved |= b[i] != 0
            b[i] = 0.0
        return moved
    length = _length(pull, c, l2, max(far / top, 0.0), np.sqrt(length)) if l2 > 0 else 1.0
    for i in range(m):
        new = pull[i] * length / (c[i] * length + l2)
        delta[i] = new - b[i]
        moved |= delta[i] != 0
        b[i] = new
    return moved


@_compiled
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


@_compiled
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


@_compiled
def _extrapolate(
    points: np.ndarray,
    slopes: np.ndarray,
    B: np.ndarray,
    g: np.ndarray,
    g_zero: np.ndarray,
    l1: np.ndarray,
    l2: np.ndarray,
) -> None:
    """The combination of the last points whose change is least, where it is lower."""
    n, (m, d) = len(points) - 1, B.shape
    S = np.empty((n, n))
    for a in range(n):
        for b in range(a + 1):
            product = 0.0
            for i in range(m):
                for k in range(d):
                    product += (points[a + 1, i, k] - points[a, i, k]) * (
                        points[b + 1, i, k] - points[b, i, k]
                    )
            S[a, b] = S[b, a] = product
    if not _regular(S):
        return
    share = np.ones(n)
    _solve(S, share)
    to, slope = np.zeros((m, d)), np.zeros((m, d))
    for a in range(n):
        for i in range(m):
            for k in range(d):
                to[i, k] += share[a] * points[a + 1, i, k]
                slope[i, k] += share[a] * slopes[a + 1, i, k]
    if _objective(to, slope, g_zero, l1, l2) < _objective(B, g, g_zero, l1, l2):
        _copy(to, B)
        _copy(slope, g)


@_compiled
def _copy(of: np.ndarray, to: np.ndarray) -> None:
    for i in range(to.shape[0]):
        for k in range(to.shape[1]):
            to[i, k] = of[i, k]


@_compiled
def _regular(S: np.ndarray) -> bool:
    """Whether S has a size; it becomes one, with a ridge."""
    trace = 0.0
    for a in range(len(S)):
        trace += S[a, a]
    if not _LEAST < trace < 1.0 / _LEAST:
        return False
    for a in range(len(S)):
        for b in range(len(S)):
            S[a, b] /= trace
        S[a, a] += _RIDGE
    return True


@_compiled
def _solve(S: np.ndarray, x: np.ndarray) -> None:
    """The solution of S x = x, scaled to a sum of one, in place; S positive definite, is lost."""
    n, total = len(x), 0.0
    for a in range(n):
        for b in range(a + 1, n):
            by = S[b, a] / S[a, a]
            for k in range(a, n):
                S[b, k] -= by * S[a, k]
            x[b] -= by * x[a]
    for a in range(n - 1, -1, -1):
        for b in range(a + 1, n):
            x[a] -= S[a, b] * x[b]
        x[a] /= S[a, a]
        total += x[a]
    for a in range(n):
        x[a] /= total


@_compiled
def _objective(
    B: np.ndarray, g: np.ndarray, g_zero: np.ndarray, l1: np.ndarray, l2: np.ndarray
) -> float:
    """Up to F(0)."""
    value = 0.0
    for i in range(B.shape[0]):
        for k in range(B.shape[1]):
            value += 0.5 * B[i, k] * (g[i, k] + g_zero[i, k]) + l1[k] * abs(B[i, k])
    return value + _of_lengths(B, l2)


@_compiled
def _of_lengths(B: np.ndarray, l2: np.ndarray) -> float:
    square = np.zeros(B.shape[1])
    for i in range(B.shape[0]):
        for k in range(B.shape[1]):
            square[k] += B[i, k] * B[i, k]
    total = 0.0
    for k in range(B.shape[1]):
        total += l2[k] * np.sqrt(square[k])
    return total


@_compiled
def _gap(
    B: np.ndarray, g: np.ndarray, g_zero: np.ndarray, f_zero: float, l1: np.ndarray, l2: np.ndarray
) -> float:
    """The duality gap, as `squares.gap_of_squares` has it."""
    value, slope, penalty = f_zero, 0.0, 0.0
    for i in range(B.shape[0]):
        for k in range(B.shape[1]):
            value += 0.5 * B[i, k] * (g[i, k] + g_zero[i, k])
            slope += B[i, k] * g[i, k]
            penalty += l1[k] * abs(B[i, k])
    value = max(value, 0.0)
    best = 1.0 - 0.5 * slope / value if value > 0 else 1.0
    s = min(max(best, 0.0), 1.0 / _dual(g, l1, l2))
    return (1.0 - s) ** 2 * value + s * slope + penalty + _of_lengths(B, l2)


@_compiled
def _dual(g: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> float:
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
