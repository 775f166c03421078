"""The coefficients of one task at a time: by its own Hessian where features are alike.

Lengths over tasks are bounded from above by squares (w_j b_j² / 2), heights t are left alone, so
that what a task's coefficients cost is a sum over them of pieces of squares and straight lines.
"""

from __future__ import annotations

import numpy as np

from polytask.compiled.block_descent import LARGEST, LENGTHS, compiled

__all__ = ["over_tasks"]

_RIDGE = 1e-9  # of the largest curvature: what nothing bends goes to where its piece ends
_STEPS, _SETTLED = 30, 1e-4  # of Newton's method; relative step that the next sweep mends


@compiled
def over_tasks(
    G: np.ndarray,
    scale: np.ndarray,
    h: np.ndarray,
    held: np.ndarray,
    tie: np.ndarray,
    kind: int,
    B: np.ndarray,
    t: np.ndarray,
    Q: np.ndarray,
    g: np.ndarray,
    l1: np.ndarray,
    l2: np.ndarray,
    l3: float,
    newton: bool,
) -> None:
    """The best Q of each task and, if asked, Newton's step of B, in place.

    Parameters are those of `block_descent.sweep`; l3 is what the length of a row of Q costs, and
    without such rows it is zero.
    """
    m, d = g.shape
    H, A, x, y = np.empty((d, d)), np.empty((d, d)), np.empty(d), np.empty(d)
    both, bend, free = np.empty(d), np.empty(d), np.empty(d, np.int64)
    w = _weights(kind, B, t, l1, l2)
    moved = np.zeros(m)
    for i in range(m):
        has = l3 > 0 and _length(Q[i]) > 0
        if not (newton or has or (l3 > 0 and _length(g[i]) > l3)):
            continue
        moved[i] = -_along(h[i], B[i]) - (_along(h[i], Q[i]) if l3 > 0 else 0.0)
        _hessian(G[i if len(G) > 1 else 0], scale[i], h[i], held[i], H)
        if newton or has:
            own = l3 / _length(Q[i]) if has else np.inf
            for j in range(d):
                both[j] = B[i, j] + (Q[i, j] if has else 0.0)
                bend[j] = 1.0 / (1.0 / w[j] + 1.0 / own)  # of what the two share best
            _faces(kind, H, both, t, g[i], bend, l1, A, x, free)
            for j in range(d):
                B[i, j] = both[j] * (own / (w[j] + own) if has else 1.0)
        if has:
            for j in range(d):
                Q[i, j] = both[j] - B[i, j]
        if l3 > 0:
            _own(H, Q[i], g[i], l3, A, x, y, both)
        moved[i] += _along(h[i], B[i]) + (_along(h[i], Q[i]) if l3 > 0 else 0.0)
    _follow(h, held, tie, moved, g)


@compiled
def _follow(
    h: np.ndarray, held: np.ndarray, tie: np.ndarray, moved: np.ndarray, g: np.ndarray
) -> None:
    """F's gradient after the level that all share gave way to what tasks' own moved by."""
    bound = _along(tie, held) - _along(tie, tie * held)
    if bound > 0:
        level = -_along(tie, moved) / bound
        for i in range(len(g)):
            for j in range(g.shape[1]):
                g[i, j] += tie[i] * level * h[i, j]


@compiled
def _weights(kind: int, B: np.ndarray, t: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> np.ndarray:
    """Those of the squares that bound lengths; infinite of features that are zero."""
    m, d = B.shape
    w = np.zeros(d)
    for j in range(d):
        if kind == LENGTHS:
            for i in range(m):
                w[j] += B[i, j] * B[i, j]
            w[j] = l2[j] / np.sqrt(w[j]) if l2[j] > 0 else 0.0
        elif kind != LARGEST:
            w[j] = l1[j] / t[j] if t[j] > 0 else 0.0
    return w


@compiled
def _hessian(G: np.ndarray, scale: float, h: np.ndarray, held: float, H: np.ndarray) -> None:
    for j in range(len(h)):
        by = h[j] / held if held > 0 else 0.0
        for k in range(len(h)):
            H[j, k] = scale * G[j, k] - by * h[k]


@compiled
def _along(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


@compiled
def _length(x: np.ndarray) -> float:
    return np.sqrt(_along(x, x))


@compiled
def _faces(
    kind: int,
    H: np.ndarray,
    b: np.ndarray,
    t: np.ndarray,
    g: np.ndarray,
    w: np.ndarray,
    l1: np.ndarray,
    A: np.ndarray,
    x: np.ndarray,
    free: np.ndarray,
) -> None:
    """Newton's steps on the pieces that b is on; a coefficient that comes to an end stays there."""
    n = 0
    for j in range(len(b)):
        if b[j] != 0 if t[j] == 0 else (kind != LARGEST or abs(b[j]) != t[j]):
            free[n] = j
            n += 1
    while n > 0:
        _newton(kind, H, b, t, g, w, l1, A, x, free[:n])
        size, hit, end = 1.0, -1, 0.0
        for a in range(n):
            far, there = _room(kind, b[free[a]], x[a], t[free[a]], l1[free[a]])
            if far < size * abs(x[a]):
                size, hit, end = far / abs(x[a]), a, there
        for a in range(n):
            j = free[a]
            by = end - b[j] if a == hit else size * x[a]
            b[j] = end if a == hit else b[j] + by
            for k in range(len(b)):
                g[k] += H[j, k] * by
        if hit < 0:
            break
        n -= 1
        for a in range(hit, n):
            free[a] = free[a + 1]


@compiled
def _newton(
    kind: int,
    H: np.ndarray,
    b: np.ndarray,
    t: np.ndarray,
    g: np.ndarray,
    w: np.ndarray,
    l1: np.ndarray,
    A: np.ndarray,
    x: np.ndarray,
    free: np.ndarray,
) -> None:
    """The step x that would be best were there no ends."""
    n, top = len(free), 0.0
    for j in free:
        top = max(top, H[j, j])
    for a in range(n):
        j = free[a]
        inside = abs(b[j]) <= t[j]
        bend = w[j] if kind == LENGTHS or inside else 0.0
        x[a] = -g[j] - bend * b[j] - (0.0 if inside else l1[j] * np.sign(b[j]))
        for e in range(a + 1):
            A[a, e] = H[j, free[e]]
        A[a, a] += bend + _RIDGE * top
    _solve(A, x, n)


@compiled
def _room(kind: int, b: float, step: float, t: float, l1: float) -> tuple[float, float]:
    """How far the end of b's piece is in the direction of the step, and where."""
    end = np.sign(b) * t if abs(b) > t else np.sign(step) * t
    within = kind == LARGEST and abs(b) < t  # squares bound what lies beyond otherwise
    back = abs(b) > t and b * step < 0 and (kind != LENGTHS or l1 > 0)
    return (abs(end - b) if within or back else np.inf), end


@compiled
def _own(
    H: np.ndarray,
    q: np.ndarray,
    g: np.ndarray,
    l3: float,
    A: np.ndarray,
    r: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
) -> None:
    """The best q, whose length costs l3."""
    d, most = len(q), 0.0
    for j in range(d):
        r[j] = -g[j] + _along(H[j], q)
        most += l3 * H[j, j]
    pull = _length(r)
    if pull > l3:
        most /= pull - l3
        own = l3 / _length(q) if _length(q) > 0 else most
        _of_length(H, r, l3, min(own, most), most, A, y, z)
    for j in range(d):
        by = (y[j] if pull > l3 else 0.0) - q[j]
        q[j] += by
        for k in range(d):
            g[k] += H[j, k] * by


@compiled
def _of_length(
    H: np.ndarray,
    r: np.ndarray,
    l3: float,
    by: float,
    most: float,
    A: np.ndarray,
    q: np.ndarray,
    z: np.ndarray,
) -> None:
    """The q with (H + by) q = r and by = l3 / ‖q‖ <= most.

    Newton's method for 1 / ‖q‖ - by / l3, which is concave in by, as in trust regions.
    """
    d = len(r)
    for _ in range(_STEPS):
        for j in range(d):
            q[j] = r[j]
            for k in range(j):
                A[j, k] = H[j, k]
            A[j, j] = H[j, j] + by
        _solve(A, q, d)
        for j in range(d):
            z[j] = q[j]
        _forward(A, z, d)
        size = _length(q)
        slope = _along(z, z) / size**3 - 1.0 / l3
        new = min(by - (1.0 / size - by / l3) / slope, most) if slope < 0 else most
        settled = abs(new - by) <= _SETTLED * by
        by = new
        if settled:
            break


@compiled
def _solve(A: np.ndarray, x: np.ndarray, n: int) -> None:
    """A^-1 x in place of x; Cholesky's factor in place of the lower half of A."""
    for a in range(n):
        for e in range(a + 1):
            total = A[a, e]
            for k in range(e):
                total -= A[a, k] * A[e, k]
            A[a, e] = total / A[e, e] if e < a else np.sqrt(max(total, 1e-300))
    _forward(A, x, n)
    for a in range(n - 1, -1, -1):
        x[a] /= A[a, a]
        for k in range(a):
            x[k] -= A[a, k] * x[a]


@compiled
def _forward(A: np.ndarray, x: np.ndarray, n: int) -> None:
    for a in range(n):
        for k in range(a):
            x[a] -= A[a, k] * x[k]
        x[a] /= A[a, a]
