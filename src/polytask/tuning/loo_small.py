"""Leave-one-out in tasks of few rows, where one Newton step from the fit is too short.

Without row j the other rows of its task move too, and with them their curvature. In the row space
of the task, with Q = X H^-1 X' and the other tasks as at the fit, the predictors' change δ solves

    δ = Q_j (ρ_j g_j e_j - r(δ)),   r_k = w_k (loss'(f_k + δ_k) - loss'(f_k) - loss''(f_k) δ_k),

Q_j that of the Hessian without the share ρ_j of row j, r what the quadratic model of the others
leaves out. It is solved by Newton's method in δ, from the value at r = 0, for every row; over
kinks, where that may lead anywhere, after steps of parabolas above the loss.
"""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.responses import Loss

__all__ = ["MOST_ROWS", "left_out_of_task"]

_STEPS = 2
_SURE = 8  # steps of parabolas above a loss with kinks, before those of Newton's method
MOST_ROWS = 24  # of a task that is seen as small: n systems of n x n


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
    with np.errstate(all="ignore"):
        gain = rho * bend / (1.0 - rho * bend * own)
        Qj = Q[:, None] + gain[:, :, None, None] * Q[:, :, :, None] * Q[:, :, None, :]
        first = np.einsum("bjkj->bjk", Qj) * (rho * slope)[:, :, None]
        stays = w[:, None] - rho[:, None] * np.eye(n)  # weight of row k where j is left out
        change, yk = first, np.broadcast_to(y[:, None], first.shape)
        least, best = np.full(first.shape[:2], np.inf), first
        for step in range(_SURE + _STEPS if loss.has_kinks else _STEPS):
            there = at[:, None] + change
            rest = stays * (loss.gradient(yk, there) - slope[:, None] - bend[:, None] * change)
            missed = change - first + np.einsum("bjkl,bjl->bjk", Qj, rest)
            size = np.abs(missed).max(axis=2)
            best = np.where((size < least)[:, :, None], change, best)
            least = np.fmin(size, least)
            sure = loss.has_kinks and step < _SURE
            curvature = (loss.majorizer if sure else loss.curvature)(yk, there)
            J = np.eye(n) + Qj * (stays * (curvature - bend[:, None]))[:, :, None, :]
            J = np.where(np.isfinite(J).all(axis=(2, 3), keepdims=True), J, np.eye(n))
            change = change - np.linalg.solve(J, missed[..., None])[..., 0]
        change = best if loss.has_kinks else change
    return at + np.einsum("bjj->bj", change)
