# mypy: disable-error-code="no-untyped-def"
"""The coefficients of one task at a time: by its own Hessian where features are alike.

Lengths over tasks are bounded from above by squares (w_j b_j² / 2), heights t are left alone, so
that what a task's coefficients cost is a sum over them of pieces of squares and straight lines.
"""

from __future__ import annotations

import numpy as np

from polytask.compiled.feature_steps import (
    CHAIN,
    LARGEST,
    SHARED,
    compiled,
    inner,
    length_of,
    next_share,
)

__all__ = ["RIDGE", "factor", "follow_levels", "hessian", "over_tasks", "piece", "solve"]

RIDGE = 1e-9  # of the largest curvature: what nothing bends goes to where its piece ends
_STEPS, _SETTLED = 30, 1e-4  # of Newton's method; relative step that the next sweep mends


@compiled
def over_tasks(squares, norm, state, g, newton):
    """The best Q of each task and, if asked, Newton's step of B, in place.

    Parameters are those of `block_descent.descend`.
    """
    _, grams, scale, h, held, tie, _, links, _, _ = squares
    kind, l1, l2, _, by_tasks = norm
    d, m = g.shape
    B, t = state[: d * m].reshape((d, m)), state[d * m : d * m + d]
    Q = state[d * m + d :].reshape((m if by_tasks > 0 else 0, d))
    H, A, x, y = np.empty((d, d)), np.empty((d, d)), np.empty(d), np.empty(d)
    both, bend, free = np.empty(d), np.empty(d), np.empty(d, np.int64)
    at, slope, level, old = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    low, high, line, none = np.empty(d), np.empty(d), np.empty(d), np.zeros(d)
    w = _weights(kind, B, t, l1, l2)
    moved = np.zeros(m)
    for i in range(m):
        _column(g, i, slope)
        _column(h, i, level)
        q = Q[i] if by_tasks > 0 else none
        has = by_tasks > 0 and length_of(q) > 0
        if not (newton or has or (by_tasks > 0 and length_of(slope) > by_tasks)):
            continue
        _column(B, i, at)
        _column(B, i, old)
        moved[i] = -_along(level, at) - _along(level, q)
        hessian(grams[i if len(grams) > 1 else 0], scale[i], h, i, held[i], H)
        _add_links(links[0], i, H)
        if newton or has:
            own = by_tasks / length_of(q) if has else np.inf
            for j in range(d):
                both[j] = at[j] + q[j]
            _pieces(kind, both, t, l1, w, own, low, high, line, bend)
            _faces(H, both, slope, low, high, line, bend, A, x, free)
            _part(both, w, own, at, q)
            _to_column(at, B, i)
        if by_tasks > 0:
            _own(H, q, slope, by_tasks, A, x, y, both)
        moved[i] += _along(level, at) + _along(level, q)
        _to_column(slope, g, i)
        if kind == CHAIN:
            _to_neighbours(links[1], i, at, old, g)
    follow_levels(h, held, tie, moved, g)


@inner
def _column(A, i, x):
    for j in range(len(A)):
        x[j] = A[j, i]


@inner
def _to_column(x, A, i):
    for j in range(len(A)):
        A[j, i] = x[j]


@inner
def _pieces(kind, both, t, l1, w, own, low, high, line, bend):
    """Of each coefficient its piece, and how squares bend there."""
    for j in range(len(both)):
        low[j], high[j], line[j] = piece(kind, both[j], t[j], l1[j])
        beyond = kind == SHARED and abs(both[j]) > t[j]
        bend[j] = 0.0 if beyond else 1.0 / (1.0 / w[j] + 1.0 / own)  # of what two share best


@inner
def _add_links(at, i, H):
    """What links to other tasks add to a task's curvature; ``at`` has one row where none do."""
    if len(at) == len(H):
        for j in range(len(H)):
            H[j, j] += at[j, i]


@inner
def _part(both, w, own, at, q):
    """Sums as the shared part and, where there is one, the task's own have best shares of them."""
    for j in range(len(both)):
        at[j] = both[j] * (own / (w[j] + own) if own < np.inf else 1.0)
        q[j] = both[j] - at[j] if own < np.inf else 0.0


@inner
def _to_neighbours(between, i, at, old, g):
    """What links the tasks beside one feel of its move."""
    m = g.shape[1]
    for j in range(len(g)):
        if i:
            g[j, i - 1] += between[j, i - 1] * (at[j] - old[j])
        if i < m - 1:
            g[j, i + 1] += between[j, i] * (at[j] - old[j])


@inner
def follow_levels(
    h: np.ndarray, held: np.ndarray, tie: np.ndarray, moved: np.ndarray, g: np.ndarray
) -> None:
    """F's gradient after the level that all share gave way to what tasks' own moved by."""
    bound = 0.0
    for i in range(len(tie)):
        bound += tie[i] * (held[i] - tie[i] * held[i])
    if bound > 0:
        level = -_along(tie, moved) / bound
        for j in range(len(g)):
            for i in range(g.shape[1]):
                g[j, i] += tie[i] * level * h[j, i]


@inner
def _weights(kind: int, B: np.ndarray, t: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> np.ndarray:
    """Those of the squares that bound lengths; infinite of features that are zero."""
    w = np.zeros(len(B))
    for j in range(len(B)):
        if kind != LARGEST and kind != SHARED:
            w[j] = l2[j] / length_of(B[j]) if l2[j] > 0 else 0.0
        elif kind == SHARED:
            w[j] = l1[j] / t[j] if t[j] > 0 else 0.0
    return w


@inner
def hessian(G: np.ndarray, scale: float, h: np.ndarray, i: int, held: float, H: np.ndarray) -> None:
    """F's in task i, the common level held, in H."""
    for j in range(len(h)):
        by = h[j, i] / held if held > 0 else 0.0
        for k in range(len(h)):
            H[j, k] = scale * G[j, k] - by * h[k, i]


@inner
def _along(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


@inner
def piece(kind: int, b: float, t: float, l1: float) -> tuple[float, float, float]:
    """Ends of the piece that b is on, and the slope of straight lines there.

    At an end a piece is b alone.
    """
    size = abs(b)
    if kind in (LARGEST, SHARED):
        if size == t and (kind == LARGEST or t == 0):
            return b, b, 0.0
        if size <= t:  # squares bound what lies beyond of the other kind
            return (-t, t, 0.0) if kind == LARGEST else (-np.inf, np.inf, 0.0)
    elif b == 0:
        return b, b, 0.0
    if l1 == 0:
        return -np.inf, np.inf, 0.0
    return (t, np.inf, l1) if b > 0 else (-np.inf, -t, -l1)


@inner
def _faces(
    H: np.ndarray,
    b: np.ndarray,
    g: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    slope: np.ndarray,
    bend: np.ndarray,
    A: np.ndarray,
    x: np.ndarray,
    free: np.ndarray,
) -> None:
    """Newton's steps on the pieces that b is on; a coefficient that comes to an end stays there."""
    n = 0
    for j in range(len(b)):
        if low[j] < high[j]:
            free[n] = j
            n += 1
    while n > 0:
        _newton(H, b, g, slope, bend, A, x, free[:n])
        size, hit, end = 1.0, -1, 0.0
        for a in range(n):
            there = high[free[a]] if x[a] > 0 else low[free[a]]
            far = abs(there - b[free[a]])
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


@inner
def _newton(
    H: np.ndarray,
    b: np.ndarray,
    g: np.ndarray,
    slope: np.ndarray,
    bend: np.ndarray,
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
        x[a] = -g[j] - bend[j] * b[j] - slope[j]
        for e in range(a + 1):
            A[a, e] = H[j, free[e]]
        A[a, a] += bend[j] + RIDGE * top
    solve(A, x, n)


@inner
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
    pull = length_of(r)
    if pull > l3:
        most /= pull - l3
        own = l3 / length_of(q) if length_of(q) > 0 else most
        _of_length(H, r, l3, min(own, most), most, A, y, z)
    for j in range(d):
        by = (y[j] if pull > l3 else 0.0) - q[j]
        q[j] += by
        for k in range(d):
            g[k] += H[j, k] * by


@inner
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

    By `next_share`, in by.
    """
    d = len(r)
    for _ in range(_STEPS):
        for j in range(d):
            q[j] = r[j]
            for k in range(j):
                A[j, k] = H[j, k]
            A[j, j] = H[j, j] + by
        solve(A, q, d)
        for j in range(d):
            z[j] = q[j]
        _forward(A, z, d)
        new = next_share(by, length_of(q), _along(z, z), l3, most)
        settled = abs(new - by) <= _SETTLED * by
        by = new
        if settled:
            break


@inner
def solve(A: np.ndarray, x: np.ndarray, n: int) -> None:
    """A^-1 x in place of x; Cholesky's factor in place of the lower half of A."""
    factor(A, n)
    _forward(A, x, n)
    _backward(A, x, n)


@inner
def factor(A: np.ndarray, n: int) -> None:
    """Cholesky's factor L in place of the lower half of A."""
    for a in range(n):
        for e in range(a + 1):
            total = A[a, e]
            for k in range(e):
                total -= A[a, k] * A[e, k]
            A[a, e] = total / A[e, e] if e < a else np.sqrt(max(total, 1e-300))


@inner
def _forward(A: np.ndarray, x: np.ndarray, n: int) -> None:
    """L^-1 x in place of x."""
    for a in range(n):
        for k in range(a):
            x[a] -= A[a, k] * x[k]
        x[a] /= A[a, a]


@inner
def _backward(A: np.ndarray, x: np.ndarray, n: int) -> None:
    """L'^-1 x in place of x."""
    for a in range(n - 1, -1, -1):
        x[a] /= A[a, a]
        for k in range(a):
            x[k] -= A[a, k] * x[a]
