"""Held-out predictions of a mixed model from the fit itself, at its variances.

With V_i the covariance of task i's coefficients about their estimate, row j of the task has the
variance h = x'V_i x, and without the row its linear predictor is

    f_j + h g / (1 - h c),

g and c the slope and curvature of the row's share of minus the log likelihood: exact for the
squared loss, one Newton step for others.
"""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.mixed.laplace import quadratic_forms
from polytask.responses import Loss

__all__ = ["left_out"]

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
    return np.asarray(f + h * slope / np.maximum(1.0 - h * curvature, _LEAST))
