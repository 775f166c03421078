"""Leave-one-out in tasks of few rows, where one Newton step from the fit is too short.

Without row j the other rows of its task move too, and with them their curvature. In the row space
of the task, with Q = X H^-1 X' and the other tasks as at the fit, the predictors' change δ solves

    δ = Q_j (ρ_j g_j e_j - r(δ)),   r_k = w_k (loss'(f_k + δ_k) - loss'(f_k) - loss''(f_k) δ_k),

Q_j that of the Hessian without the share ρ_j of row j, r what the quadratic model of the others
leaves out; a table of few rows is one such task. It is solved by Newton's method in δ, from the
value at r = 0, for every row; over kinks, where that may lead anywhere, after steps of parabolas
above the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.responses import Loss

__all__ = ["MOST_TOGETHER", "left_out_of_task", "most_rows", "tasks_of_few", "whole_table"]

_STEPS = 2
_SOLVED = 1e-12  # of the change, that a row whose predictors are found leaves
_SURE = 8  # steps of parabolas above a loss with kinks, before those of Newton's method
_MOST_ROWS, _MOST_OF_KINKS = 24, 40  # of a task that is seen as small: n systems of n x n
MOST_TOGETHER = 64  # of a table that is


def most_rows(loss: Loss) -> int:
    """Of a task that is seen as small; of kinks, whose curvature says least, one more often."""
    return _MOST_OF_KINKS if loss.has_kinks else _MOST_ROWS


def tasks_of_few(forms: Iterable[Any], most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows (b, n) of tasks of one size, and their Q (b, n, n), from `_narrow_forms` of a fit."""
    for obs, valid, A, own, u, across in forms:
        sizes = np.full(len(obs), obs.shape[1]) if valid is None else valid.sum(axis=1)
        for n in np.unique(sizes[sizes <= most]):
            a, x, v, w = (each[sizes == n, :n] for each in (A, own, across, u))
            yield obs[sizes == n][:, :n], a @ x.transpose(0, 2, 1) + v @ w.transpose(0, 2, 1)


def whole_table(forms: Iterable[Any], n_rows: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same with all rows (1, N) as those of one task."""
    Q, parts = np.zeros((n_rows, n_rows)), []
    for obs, valid, A, own, u, across in forms:
        for k, rows in enumerate(obs):
            here = slice(None) if valid is None else valid[k]
            Q[np.ix_(rows[here], rows[here])] = A[k, here] @ own[k, here].T
            parts.append((rows[here], u[k, here], across[k, here]))
    order, u, across = (np.concatenate(each) for each in zip(*parts, strict=True))
    Q[np.ix_(order, order)] += across @ u.T
    yield np.arange(n_rows)[None], Q[None]


def left_out_of_task(
    data: TaskData, loss: Loss, f: np.ndarray, obs: np.ndarray, Q: np.ndarray, share: np.ndarray
) -> np.ndarray:
    """f_(-j) of the rows of b tasks of n rows each.

    Parameters
    ----------
    data : TaskData
    loss : Loss
    f : ndarray of shape (N,)
        Linear predictors at the fit.
    obs : int ndarray of shape (b, n)
        The rows.
    Q : ndarray of shape (b, n, n)
        X H^-1 X' of each task.
    share : ndarray of shape (N,)
        Share of each row that is left out: one over its repetitions.

    Returns
    -------
    ndarray of shape (b, n)
        NaN where Newton's method finds nothing.
    """
    n = obs.shape[1]
    y, w, at = data.y[obs], data.weight[obs], f[obs]
    rho, slope, bend = w * share[obs], loss.gradient(y, at), loss.curvature(y, at)
    own = np.einsum("bjj->bj", Q)
    task, j = (each.ravel() for each in np.indices(own.shape))
    with np.errstate(all="ignore"):
        gain = rho * bend / (1.0 - rho * bend * own)
        first = Q.transpose(0, 2, 1) * ((1.0 + gain * own) * rho * slope)[:, :, None]
        change = first = first.reshape(-1, n)
        found, least, left = first.copy(), np.full(len(j), np.inf), np.arange(len(j))
        for step in range(_SURE + _STEPS if loss.has_kinks else _STEPS):
            t, out = task[left], j[left]
            stays = w[t] - rho[t] * (np.arange(n) == out[:, None])  # weight of row k without row j
            there = at[t] + change
            rest = stays * (loss.gradient(y[t], there) - slope[t] - bend[t] * change)
            q = Q[t, :, out]
            Qj = Q[t] + (gain[t, out][:, None] * q)[:, :, None] * q[:, None]
            missed = change - first[left] + (Qj @ rest[:, :, None])[:, :, 0]
            size = np.abs(missed).max(axis=1)
            nearer = size < least[left]
            least[left[nearer]], found[left[nearer]] = size[nearer], change[nearer]
            more = ~(size <= _SOLVED * np.abs(change).max(axis=1))
            t, there, left = t[more], there[more], left[more]
            sure = loss.has_kinks and step < _SURE
            curvature = (loss.majorizer if sure else loss.curvature)(y[t], there)
            J = np.eye(n) + Qj[more] * (stays[more] * (curvature - bend[t]))[:, None]
            J = np.where(np.isfinite(J).all(axis=(1, 2), keepdims=True), J, np.eye(n))
            change = change[more] - _solved(J, missed[more])
            if not loss.has_kinks:
                found[left] = change
    return at + found.reshape(-1, n, n)[:, np.arange(n), np.arange(n)]


def _solved(J: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """J^-1 missed of many systems; NaN where J is singular, as where a kink takes all curvature."""
    try:
        return np.asarray(np.linalg.solve(J, missed[..., None])[..., 0])
    except np.linalg.LinAlgError:
        lost = np.linalg.slogdet(J)[0] == 0.0
        J = np.where(lost[..., None, None], np.eye(J.shape[-1]), J)
        found = np.linalg.solve(J, missed[..., None])[..., 0]
        return np.where(lost[..., None], np.nan, found)
