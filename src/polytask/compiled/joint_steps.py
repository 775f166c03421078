# mypy: disable-error-code="no-untyped-def"
"""Newton's step of all tasks' coefficients and of what they share: lengths and a level.

For norms of lengths. A length is the least of (‖b‖² / s + s) / 2 over s > 0, so that in
coefficients and such sizes s the objective is smooth on the pieces that it is on, and convex. Given
the sizes tasks part; what is left is an equation in the sizes, as in block elimination (Schur's
complement). It says how far features that are alike in the tasks move together.
"""

from __future__ import annotations

import numpy as np

from polytask.compiled.feature_steps import compiled, inner, length_of
from polytask.compiled.measures import penalty
from polytask.compiled.task_steps import (
    RIDGE,
    factor,
    follow_levels,
    hessian,
    piece,
    solve,
)

__all__ = ["joint_step"]

_UP, _DOWN = (1e300, 100.0, 10.0, 1.0), 1.0  # shares of a size that it goes up, in turn, and down
_TRIES, _FIRST, _DAMPED = 16, 0.01, 2.0  # of damping in a size's own curvature, for a size too far
_LEAST = 0.1  # share of a size that a step leaves


@compiled
def joint_step(squares, norm, state, g):
    """The step, in place, if it leads down: whether it does.

    Parameters are those of `block_descent.descend`.
    """
    d, m = g.shape
    S, T = np.zeros((d + 2, d + 2)), np.zeros(d + 1)  # the last row is the other side
    M, C = np.empty((d + 1, d + 1)), np.empty((d + 1, d + 2))
    H, free, r = np.empty((d, d)), np.empty(d, np.int64), np.empty(d + 1)
    here = _pieces(norm, state, d, m)
    _alone(squares, norm, here, S, T)
    for i in range(m):
        n = _of_task(squares, norm, g, here, i, H, M, C, free)
        factor(M, n)
        _eliminate(M, C, n, S)
    x, more, by, damping = np.zeros((d, m)), np.zeros(m), np.empty(d + 1), np.empty(d + 1)
    for k in range(d + 1):
        damping[k] = RIDGE
    for most in _UP:
        _sizes(S, T, damping, most, here, by)
        for i in range(m):
            n = _of_task(squares, norm, g, here, i, H, M, C, free)
            for a in range(n):
                r[a] = C[a, d + 1]
                for k in range(d + 1):
                    r[a] -= C[a, k] * by[k]
            solve(M, r, n)
            last = 0
            for j in range(d):
                if here[3][j, i] < here[4][j, i]:
                    x[j, i] = r[last]
                    last += 1
            more[i] = r[last] if last < n else 0.0
        if _moves(squares, norm, state, g, here, x, by, more):
            return True
    return False


@inner
def _eliminate(L, C, n, S):
    """Take C' (L L')^-1 C from S, whose lower half counts."""
    K = len(S)
    for a in range(n):
        row = C[a]
        for e in range(a):
            by, other = L[a, e], C[e]
            for k in range(K):
                row[k] -= by * other[k]
        by = 1.0 / L[a, a]
        for k in range(K):
            row[k] *= by
        for k in range(K):
            by = row[k]
            if by != 0:
                for e in range(k + 1):
                    S[k, e] -= by * row[e]


@inner
def _sizes(S, T, damping, most, here, by):
    """How far the sizes go, with more damping of those that would go too far for Newton."""
    size = here[1]
    d = len(size)
    for _ in range(_TRIES):
        A, far = np.zeros((d + 1, d + 1)), False
        for k in range(d + 1):
            shared = T[k] > 0 and (k == d or size[k] > 0)
            for e in range(k + 1 if shared else 0):
                A[k, e] = S[k, e] if e == d or size[e] > 0 else 0.0
            A[k, k] = A[k, k] + damping[k] * T[k] if shared else 1.0
            by[k] = S[d + 1, k] if shared else 0.0
        solve(A, by, d + 1)
        for k in range(d):
            if by[k] > most * size[k] or by[k] < -_DOWN * size[k]:
                damping[k], far = _DAMPED * max(damping[k], _FIRST), True
        if not far:
            break


@inner
def _pieces(norm, state, d, m):
    """Sums over parts, sizes of features and of tasks' own; of each sum its piece and its bend."""
    kind, l1, l2, _, by_tasks = norm
    whole = state[: d * m].reshape((d, m)).copy()
    size, own = np.zeros(d), np.zeros(m)
    low, high, line, bend = np.empty((d, m)), np.empty((d, m)), np.empty((d, m)), np.zeros((d, m))
    for j in range(d):
        if l2[j] > 0:
            size[j] = length_of(whole[j])
    if by_tasks > 0:
        Q = state[d * m + d :].reshape((m, d))
        for i in range(m):
            own[i] = length_of(Q[i])
            for j in range(d):
                whole[j, i] += Q[i, j]
    for j in range(d):
        for i in range(m):
            low[j, i], high[j, i], line[j, i] = piece(kind, whole[j, i], 0.0, l1[j])
            if l2[j] > 0:
                room = size[j] / l2[j] + (own[i] / by_tasks if by_tasks > 0 else 0.0)
                bend[j, i] = 1.0 / room if room > 0 else 0.0
    return whole, size, own, low, high, line, bend


@inner
def _of_task(squares, norm, g, here, i, H, M, C, free):
    """A task's equation M x + C theta = r in what is free, and the size of its own: how many.

    C has a column for each size, one for the level, and r is its last.
    """
    _, grams, scale, h, held, tie, _, _, _, _ = squares
    l2 = norm[2]
    whole, size, own, low, high, line, bend = here
    d, n, top = len(g), 0, 0.0
    hessian(grams[i if len(grams) > 1 else 0], scale[i], h, i, held[i], H)
    for j in range(d):
        if low[j, i] < high[j, i]:
            free[n] = j
            n += 1
            top = max(top, H[j, j])
    rows = n + 1 if own[i] > 0 else n
    for a in range(rows):
        for k in range(d + 2):
            C[a, k] = 0.0
    for a in range(n):
        j = free[a]
        b, w = whole[j, i], bend[j, i]
        C[a, d + 1] = -g[j, i] - line[j, i] - w * b
        for e in range(a + 1):
            M[a, e] = H[j, free[e]]
        M[a, a] += w + RIDGE * top
        if w > 0 and size[j] > 0:
            C[a, j] = -b * w * w / l2[j]
        C[a, d] = -tie[i] * h[j, i]
    if rows > n:
        _of_own_size(norm, here, i, M, C, free[:n])
    return rows


@inner
def _of_own_size(norm, here, i, M, C, free):
    """The row of the size of what task i has of its own."""
    l2, by_tasks = norm[2], norm[4]
    whole, size, bend = here[0], here[1], here[6]
    n, d = len(free), len(l2)
    C[n, d + 1], M[n, n] = -0.5 * by_tasks, 0.0
    for a in range(n):
        j = free[a]
        b, w = whole[j, i], bend[j, i]
        M[n, a] = -b * w * w / by_tasks
        M[n, n] += b * b * w**3 / by_tasks**2
        C[n, d + 1] += 0.5 * b * b * w * w / by_tasks
        if size[j] > 0:
            C[n, j] = b * b * w**3 / (l2[j] * by_tasks)
    M[n, n] *= 1.0 + RIDGE


@inner
def _alone(squares, norm, here, S, T):
    """What sizes, and the level, cost without the tasks."""
    held, tie = squares[4], squares[5]
    l2 = norm[2]
    whole, size, _, _, _, _, bend = here
    d, m = whole.shape
    theta = S[d + 1]
    for j in range(d):
        theta[j] = -0.5 * l2[j]
        for i in range(m):
            b, w = whole[j, i], bend[j, i]
            if w > 0 and size[j] > 0:
                S[j, j] += b * b * w**3 / l2[j] ** 2
                theta[j] += 0.5 * b * b * w * w / l2[j]
    for i in range(m):
        S[d, d] += tie[i] * (held[i] - tie[i] * held[i])
    for k in range(d + 1):
        T[k] = S[k, k]


@inner
def _moves(squares, norm, state, g, here, x, theta, more):
    """Take the step, each coefficient to the end of its piece at most: if it is down."""
    l2, by_tasks = norm[2], norm[4]
    whole, size, own, low, high, _, _ = here
    d, m = g.shape
    to, moved = state.copy(), np.empty((d, m))
    B = to[: d * m].reshape((d, m))
    Q = to[d * m + d :].reshape((m if by_tasks > 0 else 0, d))
    now = np.zeros(m)
    for i in range(m):
        now[i] = max(own[i] + more[i], _LEAST * own[i])
    for j in range(d):
        new = size[j] + theta[j]
        gone = size[j] > 0 and new <= 0  # what turns round passes zero
        new = 0.0 if gone else max(new, _LEAST * size[j])
        for i in range(m):
            b = whole[j, i] + x[j, i]
            if low[j, i] < high[j, i]:
                b = min(max(b, low[j, i]), high[j, i])
            if gone and own[i] == 0:
                b = 0.0
            moved[j, i] = b - whole[j, i]
            B[j, i] = b
            if by_tasks > 0 and own[i] > 0:
                ours, theirs = new / l2[j], now[i] / by_tasks
                B[j, i] = b * ours / (ours + theirs)
                Q[i, j] = b - B[j, i]
    slope = _gradient_after(squares, moved, g)
    if _rises(norm, state, to, moved, g, slope, own):
        return False
    state[:] = to
    g[:] = slope
    return True


@inner
def _rises(norm, state, to, moved, g, slope, own):
    """Whether the objective is no less after a step."""
    kind, l1, l2, l3, by_tasks = norm
    d, m = g.shape
    heights = state[d * m : d * m + d]  # of lengths they are zero
    rise = penalty(kind, to[: d * m].reshape((d, m)), heights, l1, l2, l3)
    rise -= penalty(kind, state[: d * m].reshape((d, m)), heights, l1, l2, l3)
    if by_tasks > 0:
        Q = to[d * m + d :].reshape((m, d))
        for i in range(m):
            rise += by_tasks * (length_of(Q[i]) - own[i])
    for j in range(d):
        for i in range(m):
            rise += 0.5 * moved[j, i] * (g[j, i] + slope[j, i])
    return not rise < 0


@inner
def _gradient_after(squares, moved, g):
    _, grams, scale, h, held, tie, _, _, _, _ = squares
    d, m = g.shape
    slope, along, image, by = g.copy(), np.zeros(m), np.empty(d), np.empty(d)
    for i in range(m):
        for j in range(d):
            by[j] = moved[j, i]
        for j in range(d):
            along[i] += h[j, i] * by[j]
        G = grams[i if len(grams) > 1 else 0]
        for j in range(d):
            image[j] = 0.0
            for k in range(d):
                image[j] += G[j, k] * by[k]
        level = along[i] / held[i] if held[i] > 0 else 0.0
        for j in range(d):
            slope[j, i] += scale[i] * image[j] - h[j, i] * level
    follow_levels(h, held, tie, along, slope)
    return slope
