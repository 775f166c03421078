"""Held-out predictions of a mixed model from the fit itself, at its variances.

With V_i the covariance of task i's coefficients about their estimate, row j of the task has the
variance h = x'V_i x, and without the row its linear predictor is

    f_j + h g / (1 - h c),

g and c the slope and curvature of the row's share of minus the log likelihood: exact for the
squared loss, one Newton step for others.

Of the common part, task i adds A_i = (I + G_i Sigma)^-1 G_i and a_i = (I + G_i Sigma)^-1 r_i to the
normal equations, with G_i = X_i'X_i and r_i = X_i'y_i over the noise and Sigma the covariance of
the deviations, so that without the whole task

    w0_(-i) = (P + sum A - A_i)^-1 (sum a - a_i),

P the precision of w0 where that is random.
"""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.data.row_sums import quadratic_forms
from polytask.responses import Loss

__all__ = ["common_without_tasks", "left_out"]

_FARTHEST = 10.0  # that a Newton step is believed: a row alone on its side would go without end
_LEAST = 1e-8  # of what is left of a row's weight once its own influence is off


def left_out(
    data: TaskData, loss: Loss, f: np.ndarray, V: np.ndarray, noise: np.ndarray, units: np.ndarray
) -> np.ndarray:
    """Linear predictors (N,) of every observation from fits without it.

    Parameters
    ----------
    f : ndarray of shape (N,)
        Those of the fit.
    V : ndarray of shape (m, p, p)
        Covariances of the tasks' coefficients, in the columns of ``data.design``.
    noise : ndarray of shape (m,)
        Variance of a row of weight one; one where the loss is a log likelihood.
    units : ndarray of shape (N,)
        Weight of each observation over the weight that leaves with it.
    """
    h = quadratic_forms(data.design, V)
    weight = data.sample_weight / units / noise[data.code]
    slope, curvature = weight * loss.gradient(data.y, f), weight * loss.curvature(data.y, f)
    step = h * slope / np.maximum(1.0 - h * curvature, _LEAST)
    return np.asarray(f + (step if loss.is_quadratic else np.clip(step, -_FARTHEST, _FARTHEST)))


def common_without_tasks(
    data: TaskData, between: np.ndarray, noise: float, strength: np.ndarray
) -> np.ndarray:
    """The common part (m, p) that the other tasks give, of the squared loss.

    Parameters
    ----------
    between : ndarray of shape (p, p)
        Covariance of the deviations, in the columns of ``data.design``.
    noise : float
        Variance of a row of weight one.
    strength : ndarray of shape (d,)
        On the slopes of w0, as a penalty beside the mean loss of the rows.
    """
    s, p = data.sample_weight, data.n_coefs
    G, r = data.design.grams(s) / noise, data.design.adjoint(s * data.y) / noise
    part = np.linalg.solve(np.eye(p) + G @ between, np.concatenate([G, r[:, :, None]], axis=2))
    total = part.sum(axis=0)
    precision = np.zeros(p)
    precision[: len(strength)] = 2.0 * float(s.sum()) * strength / noise
    ridge = 1e-12 * np.diag(total[:, :-1])  # of columns that only one task has
    system = total[:, :-1] + np.diag(np.minimum(precision, 1e300) + ridge) - part[:, :, :-1]
    left: np.ndarray = np.linalg.solve(system, (total[:, -1] - part[:, :, -1])[:, :, None])
    return left[:, :, 0]
