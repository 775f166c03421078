# mypy: disable-error-code="no-untyped-def"
"""Losses of rows that are left out, see `polytask.tuning.leverages`: the same numbers.

All points of a task while its eigenvectors are in the cache: products by BLAS, the rest by loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["losses"]

_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@njit(cache=True, **_HOW)
def losses(spectra, at, through_w0, share, least):
    """See `polytask.tuning.leverages.losses`."""
    s, Ut, Vt, outside, y_in, one_in, root = spectra
    c, of, w, beta, t = at
    odds, growth, common = through_w0
    (b, r), n, A, C = s.shape, outside.shape[1], len(of), len(c)
    total, lost = np.zeros((b, A)), np.zeros((b, A))
    undefined = np.zeros((b, A), dtype=np.bool_)
    rho, level_in = np.empty((C, r)), np.empty((C, r))
    inside, squares = np.empty((A, r + 2)), np.empty((r, n))
    left, more = np.empty(n), np.empty(n)
    slopes, level, e = np.empty((C, n)), np.empty((C, n)), np.empty((A, n))
    for i in range(b):
        _shares(s[i], c, one_in[i], rho, level_in)
        _inside(s[i], Ut[i], y_in[i], one_in[i], rho, of, w, beta[i], inside)
        _reach(Vt[i], outside[i], rho, level_in, squares, slopes, level)
        np.dot(inside, Vt[i], e)
        for a in range(A):
            unit, at_c, g = 1.0 / t[i, a], of[a], growth[a] if len(growth) else 0.0
            for j in range(n):
                left[j] = slopes[at_c, j] - level[at_c, j] * unit
                more[j] = 1.0
            for j in range(common.shape[2]):
                left[j] -= common[i, a, j]
            for j in range(odds.shape[1]):
                more[j] += g * odds[i, j]
            loss, gone = 0.0, 0.0
            for j in range(n):
                left[j] = more[j] * (1.0 - share[i, j]) + share[i, j] * left[j]
                loss += (e[a, j] * more[j] / left[j]) ** 2
                gone += 1.0 if left[j] <= least * more[j] else 0.0
            if gone > 0:
                loss, lost[i, a] = _known(e[a], left, more, root[i], least)
                undefined[i, a] = lost[i, a] > 0
            total[i, a] = 0.5 * loss
    return total, lost, undefined


@inner
def _reach(Vt, outside, rho, level_in, squares, slopes, level):
    """1 - h of all rows but for what w0 and the level have, and what that is times t."""
    r = len(squares)
    for k in range(r):
        for j in range(len(outside)):
            squares[k, j] = Vt[k, j] ** 2
    np.dot(rho, squares, slopes)
    np.dot(level_in, Vt[:r], level)
    for a in range(len(slopes)):
        for j in range(len(outside)):
            slopes[a, j] += outside[j]
            level[a, j] = (level[a, j] + Vt[r, j]) ** 2


@inner
def _shares(s, c, one_in, rho, level_in):
    for a in range(len(c)):
        for k in range(len(s)):
            rho[a, k] = c[a] / (s[k] + c[a])
            level_in[a, k] = rho[a, k] * one_in[k]


@inner
def _inside(s, Ut, y_in, one_in, rho, of, w, beta, inside):
    """Coordinates in V of the residuals, and what stands before that which V leaves."""
    r, root = len(s), np.sqrt(s)
    pull = np.dot(w, Ut.T) if w.shape[1] else np.zeros((len(w), r))
    for a in range(len(of)):
        at_c, b = of[a], beta[a]
        for k in range(r):
            own = y_in[k] + b * one_in[k] - root[k] * pull[a, k]
            inside[a, k] = rho[at_c, k] * own
        inside[a, r], inside[a, r + 1] = b, 1.0


@inner
def _known(e, left, more, root, least):
    """The sum over rows that others inform, and the weight of the rest."""
    loss, lost = 0.0, 0.0
    for j in range(len(e)):
        if left[j] > least * more[j]:
            loss += (e[j] * more[j] / left[j]) ** 2
        else:
            lost += root[j] ** 2
    return loss, lost
