"""Sequences near given ones that change at few places: least squares + a price of differences."""

from __future__ import annotations

import numpy as np

from polytask.compiled import loops

__all__ = ["few_changes"]

_ROUNDS = 100  # five to twenty are usual, straight lines take most
_ROUNDING = 1e-14  # of the sum of absolute values of a column


def few_changes(B: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """Minimizer over L of ½‖L - B‖_F² + sum_j clip_j sum_i abs(L_i+1,j - L_ij), exact.

    Between changes a column is the mean of B there, moved by clip at its ends. From one guess of
    where the changes are to the next, edges whose sum is beyond clip join and changes of the wrong
    sign leave, all at once (a primal-dual active set: Han and Curtis, IMA J. Numer. Anal. 2016).
    Columns that are not settled then go by dynamic programming. Compiled loops, where they are
    installed, walk along each column instead.

    Parameters
    ----------
    B : ndarray of shape (m, d)
    clip : ndarray of shape (d,)
    """
    m, d = B.shape
    if d == 0:
        return B
    clip = np.minimum(clip, 2.0 * np.abs(B).sum(axis=0))  # from there all are equal
    b = np.ascontiguousarray(B.T)
    compiled = loops("total_variation")
    if compiled is not None:
        return np.asarray(compiled.few_changes(b, clip).T)
    limit = clip[:, None] + _ROUNDING * np.abs(b).sum(axis=1, keepdims=True)
    jump, sign, rise = np.zeros((d, m), dtype=bool), np.zeros((d, m)), np.zeros((d, m))
    jump[:, -1] = True
    for _ in range(_ROUNDS):
        L = _levels(b, jump, sign * clip[:, None])
        beyond = (L - b).cumsum(axis=1)
        np.subtract(L[:, 1:], L[:, :-1], out=rise[:, :-1])
        wrong = jump & (rise * sign <= 0)
        wrong[:, -1] = False
        joins = ~jump & (np.abs(beyond) > limit)
        restless = (wrong | joins).any(axis=1)
        if not restless.any():
            return L.T
        jump = (jump & ~wrong) | joins
        sign = np.where(joins, np.sign(beyond), np.where(jump, sign, 0.0))
    L[restless] = _by_programming(B[:, restless], clip[restless]).T
    return L.T


def _levels(b: np.ndarray, jump: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """What is best between jumps (d, m), given the pull at their ends; rows end with a jump."""
    last = jump.ravel().nonzero()[0]
    first, begin, end = np.zeros_like(last), np.zeros(len(last)), pull.ravel()[last]
    first[1:], begin[1:] = last[:-1] + 1, end[:-1]
    size = last - first + 1
    level = (np.add.reduceat(b.ravel(), first) + end - begin) / size
    return level.repeat(size).reshape(b.shape)


def _by_programming(B: np.ndarray, clip: np.ndarray) -> np.ndarray:
    """The same by dynamic programming, in time m² whatever the columns.

    The derivative of the best value up to task i, as a function of that task's coefficient, is
    piecewise linear; passing a difference on clips it to ± clip (Johnson 2013). Here knots stay in
    the list when they are clipped, so that all features go together.
    """
    m, d = B.shape
    low, high = np.empty((m, d)), np.empty((m, d))
    knots, slopes = B[:1], np.zeros((1, d))
    for i in range(m):
        if i:
            slopes = slopes + knots - B[i]
        cut = clip * (i < m - 1)
        low[i], high[i] = _reaches(knots, slopes, cut)
        inside = np.minimum(np.maximum(knots, low[i]), high[i])
        knots = np.concatenate([low[i : i + 1], inside, high[i : i + 1]])
        slopes = np.concatenate([-cut[None], slopes, cut[None]])
        slopes = np.minimum(np.maximum(slopes, -cut), cut)
    L = low.copy()
    for i in range(m - 2, -1, -1):
        L[i] = np.minimum(np.maximum(L[i + 1], low[i]), high[i])
    return L


def _reaches(
    knots: np.ndarray, slopes: np.ndarray, cut: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each column's function is -cut and cut; past its knots it rises with slope one."""
    beyond = 2.0 * (np.abs(slopes).max(axis=0) + cut) + np.abs(knots).max(axis=0)
    beyond = np.where(beyond > 0, beyond, 1.0)
    x = np.concatenate([knots[:1] - beyond, knots, knots[-1:] + beyond])
    v = np.concatenate([slopes[:1] - beyond, slopes, slopes[-1:] + beyond])
    j, found = np.arange(x.shape[1]), []
    for target in (-cut, cut):
        at = (v <= target).sum(axis=0) - 1
        left, value, rise = x[at, j], v[at, j], v[at + 1, j] - v[at, j]
        found.append(left + (target - value) / rise * (x[at + 1, j] - left))
    return found[0], found[1]
