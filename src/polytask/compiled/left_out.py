# mypy: disable-error-code="no-untyped-def"
"""Losses of rows that are left out, see `polytask.tuning.leverages`: the same numbers.

All points of a task while its eigenvectors are in the cache: products by BLAS, the rest by loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from polytask.compiled.blocks import EDGE, LANES
from polytask.compiled.products import forms, padded, put_gram, times

__all__ = ["losses"]

_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@njit(cache=True, **_HOW)
def losses(spectra, at, told, common, share, least):
    """See `polytask.tuning.leverages.losses`; ``common`` is (R, q, e), R empty where not asked."""
    s, Ut, Vt, outside, y_in, one_in, root = spectra
    c, of, w, beta, t = at
    odds, growth = told
    R, q, e = common
    (b, r), n, A, d = s.shape, outside.shape[1], len(of), Ut.shape[2]
    total, lost = np.zeros((b, A)), np.zeros((b, A))
    undefined = np.zeros((b, A), dtype=np.bool_)
    free = one_in.any() or Vt[:, r].any()  # levels
    P, N = padded(r + 1, LANES), padded(n, LANES)
    V, squares, rest = np.zeros((P, N)), np.zeros((P, N)), np.zeros((2, N))
    rho, level_in = np.zeros((2, padded(len(c), EDGE), P))
    slopes, level = np.zeros((2, padded(len(c), EDGE), N))
    inside, errors = np.zeros((padded(A, EDGE), P)), np.zeros((padded(A, EDGE), N))
    left, more, taken = np.empty(n), np.ones(n), np.zeros((1, N))
    D = padded(R.shape[1], LANES)
    roots, lower = _padded_roots(R, D)
    W, B, Q = np.zeros((D, P)), np.zeros((D, P)), np.zeros((P, P))
    for i in range(b):
        _take(Vt[i], V, squares, rest)
        _shares(s[i], c, one_in[i], rho, level_in)
        _inside(s[i], Ut[i], y_in[i], one_in[i], rho, of, w, beta[i], inside)
        times(slopes, rho, squares, False)
        times(errors, inside, V, False)
        if free:
            times(level, level_in, V, False)
            level += rest[0]
        for a in range(A):
            unit, at_c = 1.0 / t[i, a], of[a]
            if len(roots):
                _slopes_of_w0(W, Ut[i], s[i], rho[at_c])
                if free:
                    W[:d, r], W[d : d + 1, r], V[r] = -unit * q[at_c, i], unit * e[a], level[at_c]
                times(B, roots[a], W, lower)
                put_gram(Q, B, R.shape[1])
                forms(taken, Q, V)
                V[r] = 0.0
            for j in range(len(odds[:1]) * n):
                more[j] = 1.0 + growth[a] * odds[i, j]
            for j in range(n):
                errors[a, j] += beta[i, a] * rest[0, j] + rest[1, j]
                left[j] = outside[i, j] + slopes[at_c, j] - level[at_c, j] ** 2 * unit - taken[0, j]
            total[i, a], lost[i, a] = _loss(errors[a], left, more, share[i], root[i], least)
            undefined[i, a] = lost[i, a] > 0
    return total, lost, undefined


@inner
def _loss(e, left, more, share, root, least):
    """Half the sum of squares, and the weight of rows that nothing else informs."""
    total, gone = 0.0, 0.0
    for j in range(len(left)):
        left[j] = more[j] * (1.0 - share[j]) + share[j] * left[j]
        total += (e[j] * more[j] / left[j]) ** 2
        gone += 1.0 if left[j] <= least * more[j] else 0.0
    if gone == 0:
        return 0.5 * total, 0.0
    total, lost = 0.0, 0.0
    for j in range(len(left)):
        if left[j] > least * more[j]:
            total += (e[j] * more[j] / left[j]) ** 2
        else:
            lost += root[j] ** 2
    return 0.5 * total, lost


@inner
def _slopes_of_w0(W, Ut, s, rho):
    """U S^½ rho."""
    r, d = Ut.shape
    for k in range(r):
        own = np.sqrt(s[k]) * rho[k]
        for j in range(d):
            W[j, k] = own * Ut[k, j]


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
def _take(Vt, V, squares, rest):
    """One task's singular vectors, their squares, and what they leave."""
    r, n = len(Vt) - 2, Vt.shape[1]
    for k in range(r):
        for j in range(n):
            V[k, j] = Vt[k, j]
            squares[k, j] = Vt[k, j] ** 2
    for j in range(n):
        rest[0, j], rest[1, j] = Vt[r, j], Vt[r + 1, j]


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
