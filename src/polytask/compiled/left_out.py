# mypy: disable-error-code="no-untyped-def"
"""Losses of rows that are left out, see `polytask.tuning.leverages`: the same numbers.

All points of a task while its eigenvectors are in the cache: products by BLAS, the rest by loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.blocks import EDGE, LANES
from polytask.compiled.products import add_gram, forms, halve, padded, times

__all__ = ["losses"]

_AT_ONCE = 256  # rows whose numbers at all points stay in the cache
_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@njit(cache=True, **_HOW)
def losses(spectra, at, told, common, share, least, both):
    """See `polytask.tuning.leverages.losses`; ``common`` is (R, q, e), R empty where not asked."""
    s, Ut, Vt, outside, y_in, one_in, root = spectra
    c, of, w, beta, t = at
    odds, growth = told
    R, q, e = common
    (b, r), n, A = s.shape, outside.shape[1], len(of)
    total, own, lost = np.zeros((b, A)), np.zeros((b, A)), np.zeros((b, A))
    free = int(one_in.any() or Vt[:, r].any())  # levels
    P, D, N = padded(r + free, EDGE), padded(R.shape[1], EDGE), min(_AT_ONCE, padded(n, LANES))
    width = padded(P, LANES)
    V, squares, rest = np.zeros((P, N)), np.zeros((P, N)), np.zeros((2, N))
    rho, level_in = np.zeros((2, padded(len(c), EDGE), P))
    slopes, level = np.zeros((2, padded(len(c), EDGE), N))
    inside, errors = np.zeros((padded(A, EDGE), P)), np.zeros((padded(A, EDGE), N))
    left, more, taken = np.zeros(N), np.ones(N), np.zeros((1, N))
    roots, lower = _padded_roots(R, D)
    W, B = np.zeros((D, width)), np.zeros((D, width))
    forms_of_w0 = np.zeros((len(roots), P, width))
    for i in range(b):
        _shares(s[i], c, one_in[i], rho, level_in)
        _inside(s[i], Ut[i], y_in[i], one_in[i], rho, of, w, beta[i], inside)
        if len(roots):
            _turn(Ut[i], W)
            _forms_of_w0(roots, lower, of, W, s[i], rho, q[:, i], e, t[i], free, B, forms_of_w0)
        for first in range(0, n, N):
            k = min(N, n - first)
            _take(V, Vt[i], 0, r, first, k)
            _take(rest, Vt[i], r, 2, first, k)
            V[r:] = 0.0
            _square(V, r, squares)
            times(slopes, rho, squares, False)
            times(errors, inside, V, False)
            if free:
                times(level, level_in, V, False)
                level += rest[0]
            for a in range(A):
                _finish(errors[a], beta[i, a], rest)
                _own_left(left, slopes[of[a]], level[of[a]], 1.0 / t[i, a], outside[i], first, k)
                if len(odds):
                    _grown(more, growth[a], odds[i], first, k)
                how = (more, share[i], first, k, least)
                if len(roots):
                    if both:
                        own[i, a] += _loss(errors[a], left, *how)[0]
                    _put(V, r, free, level[of[a]])
                    forms(taken, forms_of_w0[a], V)
                    left -= taken[0]
                found, gone = _loss(errors[a], left, *how)
                total[i, a] += found
                if gone:
                    lost[i, a] += _weight(left, root[i], *how)
    return total, lost, lost > 0, own if both and len(roots) else total


@inner
def _put(V, r, free, row):
    """A row into place r, where there is one; numba takes seconds to compile ``V[r] = row``."""
    for i in range(r, r + free):
        for j in range(len(row)):
            V[i, j] = row[j]


@inner
def _finish(e, beta, rest):
    """Residuals with what V leaves of the level and of the targets."""
    for j in range(len(e)):
        e[j] += beta * rest[0, j] + rest[1, j]


@inner
def _own_left(left, slopes, level, unit, outside, first, n):
    for j in range(n):
        left[j] = slopes[j] + outside[first + j] - level[j] * level[j] * unit


@inner
def _grown(more, growth, odds, first, n):
    for j in range(n):
        more[j] = 1.0 + growth * odds[first + j]


@inner
def _loss(e, left, more, share, first, n, least):
    """Half the sum of squares of rows that others inform, and whether there are others."""
    total, gone = 0.0, 0.0
    for j in range(n):
        part = share[first + j]
        rest = more[j] * (1.0 - part) + part * left[j]
        total += (e[j] * more[j] / rest) ** 2
        gone += 1.0 if rest <= least * more[j] else 0.0
    if gone == 0:
        return 0.5 * total, False
    total = 0.0
    for j in range(n):
        part = share[first + j]
        rest = more[j] * (1.0 - part) + part * left[j]
        total += (e[j] * more[j] / rest) ** 2 if rest > least * more[j] else 0.0
    return 0.5 * total, True


@inner
def _weight(left, root, more, share, first, n, least):
    """Of those others."""
    lost = 0.0
    for j in range(n):
        part = share[first + j]
        rest = more[j] * (1.0 - part) + part * left[j]
        lost += 0.0 if rest > least * more[j] else root[first + j] ** 2
    return lost


@inner
def _turn(Ut, W):
    for k in range(len(Ut)):
        for j in range(Ut.shape[1]):
            W[j, k] = Ut[k, j]


@inner
def _forms_of_w0(roots, lower, of, U, s, rho, q, e, t, free, B, out):
    """u'H^-1 u at every point, a form of rows of V and, last, of what is left of the level."""
    out[:] = 0.0
    for a in range(len(roots)):
        _root_of_form(roots[a], lower, U, s, rho[of[a]], B)
        if free:
            _level_of_root(roots[a], q[of[a]], e[a], t[a], len(s), B)
        add_gram(out[a], B, len(B))
        halve(out[a])


@inner
def _root_of_form(R, lower, U, s, rho, B):
    """B with u'H^-1 u = |B v|² for rows v of V."""
    times(B, R, U, lower)
    pull = np.sqrt(s) * rho[: len(s)]
    for j in range(len(B)):
        for k in range(len(s)):
            B[j, k] *= pull[k]


@inner
def _level_of_root(R, q, e, t, r, B):
    """The column of B for what is left of the level."""
    d = len(q)
    for j in range(len(B)):
        B[j, r] = R[j, d] * e if len(R) > d else 0.0
        for k in range(d):
            B[j, r] -= R[j, k] * q[k]
        B[j, r] /= t


@inner
def _padded_roots(R, D):
    """With zeros around, and whether all are lower triangular."""
    (A, q), lower = R.shape[:2], True
    out = np.zeros((A, D, D))
    for a in range(A):
        for i in range(q):
            for j in range(q):
                out[a, i, j] = R[a, i, j]
                lower = lower and (j <= i or R[a, i, j] == 0.0)
    return out, lower


@inner
def _take(into, rows, begin, n_rows, first, n):
    """Some rows and columns, zeros after these."""
    for k in range(n_rows):
        for j in range(n):
            into[k, j] = rows[begin + k, first + j]
        for j in range(n, into.shape[1]):
            into[k, j] = 0.0


@inner
def _shares(s, c, one_in, rho, level_in):
    for a in range(len(c)):
        for k in range(len(s)):
            rho[a, k] = c[a] / (s[k] + c[a])
            level_in[a, k] = rho[a, k] * one_in[k]


@inner
def _inside(s, Ut, y_in, one_in, rho, of, w, beta, inside):
    """Coordinates in V of the residuals."""
    r, root = len(s), np.sqrt(s)
    pull = np.dot(w, Ut.T) if w.shape[1] else np.zeros((len(w), r))
    for a in range(len(of)):
        at_c, b = of[a], beta[a]
        for k in range(r):
            own = y_in[k] + b * one_in[k] - root[k] * pull[a, k]
            inside[a, k] = rho[at_c, k] * own


@inner
def _square(V, r, squares):
    for k in range(r):
        for j in range(V.shape[1]):
            squares[k, j] = V[k, j] * V[k, j]
