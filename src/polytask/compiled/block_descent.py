# mypy: disable-error-code="no-untyped-def"
"""Minimize squares of the tasks' own and a norm that goes by features, one feature after another.

Arrays hold a row per feature, of the tasks' coefficients. A point is one flat array: those, heights
(see `feature_steps`), and a row per task of what tasks have of their own, where the norm prices
that. Loops over tasks that follow (`task_steps`, `joint_steps`) take the same parameters.
"""

from __future__ import annotations

import numpy as np

from polytask.compiled.feature_steps import CHAIN, CHANGES, best, compiled, inner, length_of
from polytask.compiled.measures import dual, gap_of_squares, penalty
from polytask.compiled.task_steps import solve

__all__ = ["KEPT", "combine", "descend", "gap", "sweep"]

KEPT = 5  # points that are combined
_RIDGE = 1e-12  # of the products of their differences, where they are nearly dependent
_LOOK = 3  # sweeps for each look at a gap that takes as long as one


@compiled
def descend(squares, norm, state, g, tol, most):
    """Sweeps until the gap is ``tol`` at most, or there were ``most``: how many.

    After some of them the combination of their points with the least change is tried (Anderson
    acceleration; Bertrand and Massias, AISTATS 2021).

    Parameters
    ----------
    squares : tuple
        F(B): ``turned`` (d, d, m) or (d, d, 1), symmetric in its first two, and the same as
        ``grams`` (m, p, p) or (1, p, p), of which the first d rows and columns count; ``scale``
        (m,), factors of them; ``h`` (d, m), products with the levels; ``held`` and ``tie`` (m,),
        curvature of levels, zero where there are none, and its share that ties them; ``c`` (d, m),
        positive curvatures, no less than the diagonals of F's Hessian in each task; ``links``
        (2, d, m), what a quadratic that links neighbours adds to curvatures, which c has, and
        those between a task and the next; ``zero`` (d, m), the gradient at zero, and ``value``.

        F has the Hessian H_i = scale_i G - h_i h_i' / held_i in each task and, where ``tie`` is not
        zero, a level that all share.
    norm : tuple
        Its kind, prices l1, l2 and l3 (d,), and the price of the length of a task's own row, or
        zero.
    state, g : ndarray of shape (n,), (d, m)
        A point, and F's gradient there; they become the last ones.
    tol, most : float, int
    """
    n_kept, n_all = 0, len(state)
    points, slopes = np.empty((KEPT + 1, n_all)), np.empty((KEPT + 1, g.size))
    whole = True  # after a sweep, which makes equal what is to be equal
    for n in range(most):
        looks = norm[0] != CHANGES or n % _LOOK == 0
        if looks and whole and gap(squares, norm, state, g) <= tol:
            return n
        sweep(squares, norm, state, g)
        whole = keep(points, slopes, n_kept, state, g)
        n_kept += 1
        if n_kept > KEPT:
            n_kept = 0
            whole = not combine(squares, norm, points, slopes, state, g)
    return most


@inner
def keep(points, slopes, at, state, g):
    """Take note of a point."""
    d, m = g.shape
    for a in range(len(state)):
        points[at, a] = state[a]
    for j in range(d):
        for i in range(m):
            slopes[at, j * m + i] = g[j, i]
    return True


@compiled
def sweep(squares, norm, state, g):
    """Minimize in one feature after the other, in place."""
    turned, _, scale, h, held, tie, c, links, _, _ = squares
    kind, l1, l2, l3, _ = norm
    d, m = g.shape
    B, t = state[: d * m].reshape((d, m)), state[d * m : d * m + d]
    pull, new, work, ends = np.empty(m), np.empty(m), np.empty((6, m)), np.empty(m, np.int64)
    chained = kind == CHAIN
    bound = 0.0
    for i in range(m):
        bound += tie[i] * (held[i] - tie[i] * held[i])
    for j in range(d):
        b = B[j]
        between = links[1, j if chained else 0]
        for i in range(m):
            pull[i] = c[j, i] * b[i] - g[j, i]
        if chained:
            for i in range(m):
                pull[i] += between[i] * b[i + 1] if i < m - 1 else 0.0
                pull[i] += between[i - 1] * b[i - 1] if i else 0.0
        prices = l1[j], l2[j], l3[j]
        t[j] = best(kind, c[j], between, *prices, b, t[j], pull, new, work, ends)
        moved = False
        for i in range(m):
            by = new[i] - b[i]
            b[i], new[i] = new[i], by
            moved |= by != 0
        if moved:
            if chained:
                _link(links[0, j], between, new, g[j])
            _follow(turned[j], scale, h, held, tie, bound, h[j], new, pull, g)


@inner
def _link(at, between, moved, g):
    """The gradient of what links neighbours after they moved."""
    m = len(g)
    for i in range(m):
        g[i] += at[i] * moved[i]
        g[i] += between[i] * moved[i + 1] if i < m - 1 else 0.0
        g[i] += between[i - 1] * moved[i - 1] if i else 0.0


@inner
def _follow(G, scale, h, held, tie, bound, at, moved, by, g):
    """F's gradient after the coefficients of a feature moved, whose products with levels are at."""
    d, m = g.shape
    if held[0] > 0:  # all tasks have levels, or none
        _follow_levels(h, held, tie, bound, at, moved, by, g)
    for i in range(m):
        by[i] = scale[i] * moved[i]
    for k in range(d):
        if G.shape[1] == 1:
            one = G[k, 0]
            for i in range(m):
                g[k, i] += one * by[i]
        else:
            row = G[k]
            for i in range(m):
                g[k, i] += row[i] * by[i]


@inner
def _follow_levels(h, held, tie, bound, at, moved, by, g):
    """The part of the levels in it."""
    d, m = g.shape
    level = 0.0
    for i in range(m):
        level -= tie[i] * at[i] * moved[i]
    level = level / bound if bound > 0 else 0.0
    for i in range(m):
        by[i] = tie[i] * level - (at[i] * moved[i] / held[i] if held[i] > 0 else 0.0)
    for k in range(d):
        for i in range(m):
            g[k, i] += h[k, i] * by[i]


@inner
def _measures(squares, norm, state, g):
    """F, ⟨L, gradient⟩ and the penalty."""
    zero, value = squares[8], squares[9]
    kind, l1, l2, l3, own = norm
    d, m = g.shape
    B, t = state[: d * m].reshape((d, m)), state[d * m : d * m + d]
    slope, at_zero = 0.0, 0.0
    for j in range(d):
        for i in range(m):
            slope += B[j, i] * g[j, i]
            at_zero += B[j, i] * zero[j, i]
    price = penalty(kind, B, t, l1, l2, l3)
    if own > 0:
        Q = state[d * m + d :].reshape((m, d))
        for i in range(m):
            price += own * length_of(Q[i])
            for j in range(d):
                slope += Q[i, j] * g[j, i]
                at_zero += Q[i, j] * zero[j, i]
    return value + 0.5 * (slope + at_zero), slope, price


@compiled
def gap(squares, norm, state, g):
    """The duality gap."""
    kind, l1, l2, l3, own = norm
    value, slope, price = _measures(squares, norm, state, g)
    work, ends = np.empty((6, g.shape[1])), np.empty(g.shape[1], np.int64)
    top = dual(kind, g, l1, l2, l3, work, ends)
    if own > 0:
        for i in range(g.shape[1]):
            square = 0.0
            for j in range(len(g)):
                square += g[j, i] * g[j, i]
            top = max(top, np.sqrt(square) / own)
    return gap_of_squares(value, slope, price, top)


@inner
def _products(points, S):
    """Those of the points' changes, up to a factor, in S: whether there are any."""
    n, unit = points.shape[1], 0.0
    change = np.empty((KEPT, n))
    for k in range(KEPT):
        for a in range(n):
            change[k, a] = points[k + 1, a] - points[k, a]
            unit = max(unit, abs(change[k, a]))
    if not 0 < unit < np.inf:
        return False
    for k in range(KEPT):
        for a in range(n):
            change[k, a] /= unit
    for k in range(KEPT):
        for e in range(k + 1):
            dot = 0.0
            for a in range(n):
                dot += change[k, a] * change[e, a]
            S[k, e] = dot
    return True


@inner
def _shares(points, share):
    """Of each point after the first in what changes least, in place of ones: whether there are."""
    S = np.empty((KEPT, KEPT))
    if not _products(points, S):
        return False
    trace, total = 0.0, 0.0
    for k in range(KEPT):
        trace += S[k, k]
    for k in range(KEPT):
        S[k, k] += _RIDGE * trace
    solve(S, share, KEPT)
    for k in range(KEPT):
        total += share[k]
    for k in range(KEPT):
        share[k] /= total
    return True


@inner
def _copy(to, slope, state, g):
    for a in range(len(to)):
        state[a] = to[a]
    for j in range(len(g)):
        for i in range(g.shape[1]):
            g[j, i] = slope[j, i]


@compiled
def combine(squares, norm, points, slopes, state, g):
    """Go on from the combination of the last points with the least change: if it is lower."""
    d, m = g.shape
    n = len(state)
    share = np.ones(KEPT)
    if not _shares(points, share):
        return False
    to, slope = np.zeros(n), np.zeros((d, m))
    for k in range(KEPT):
        by = share[k]
        for a in range(n):
            to[a] += by * points[k + 1, a]
        for j in range(d):
            for i in range(m):
                slope[j, i] += by * slopes[k + 1, j * m + i]
    for j in range(d * m, d * m + d):
        to[j] = max(to[j], 0.0)
    there, _, price = _measures(squares, norm, to, slope)
    here, _, now = _measures(squares, norm, state, g)
    if there + price < here + now:
        _copy(to, slope, state, g)
        return True
    return False
