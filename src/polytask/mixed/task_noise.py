"""A noise variance for each task, where tasks clearly differ in it.

At a fit, task i has the residual mean square s_i² on n_i - tr H_i degrees of freedom, H_i its hat
matrix. Whether tasks differ is asked by the Brown-Forsythe test of the residuals' sizes, which
heavy tails do not mislead. Where they do, the logarithms of the true variances are taken as draws
of a scaled inverse chi² distribution, whose center and degrees of freedom the s_i² tell, so that
tasks of few rows stay near the others (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, fdtrc, polygamma

from polytask.data import TaskData
from polytask.data.row_sums import added
from polytask.data.task_medians import task_medians

__all__ = ["task_noise"]

_CLEAR = 1e-4  # p-value from which on tasks differ in noise
_LEAST_ROWS = 3
_MOST = 1e6  # degrees of freedom of a prior under which all are alike


def task_noise(
    data: TaskData, coefs: np.ndarray, leverage: np.ndarray, test: bool
) -> np.ndarray | None:
    """Noise variance of each task, shape (m,); None where they do not clearly differ.

    Parameters
    ----------
    data : TaskData
        Whose sample weights are precisions inside tasks.
    coefs : ndarray of shape (m, p)
    leverage : ndarray of shape (N,)
        Of each observation in the fit.
    test : bool
        Whether to ask for a clear difference first.
    """
    e = data.design.predict(coefs)
    np.subtract(data.y, e, out=e)
    e *= np.sqrt(data.sample_weight)
    left = 1.0 - leverage
    np.clip(left, 1e-3, 1.0, out=left)
    if test and not _differ(e / np.sqrt(left), data):
        return None
    free = added(left, data.start)
    mean_square = added(e**2, data.start) / np.maximum(free, 1e-300)
    known = (free > 1.0) & (mean_square > 0)
    if known.sum() < 2:
        return None
    center, prior = _prior(mean_square[known], free[known])
    free = np.where(known, free, 0.0)
    total = prior * center + free * np.where(known, mean_square, 0.0)
    return np.asarray(total / (prior + free))


def _differ(residuals: np.ndarray, data: TaskData) -> bool:
    """Brown and Forsythe's test: an analysis of variance of distances from the tasks' medians."""
    n = data.sizes
    if (n >= _LEAST_ROWS).sum() < 2 or np.ptp(residuals) == 0:
        return False
    code = np.repeat(np.arange(data.n_tasks), n)
    size = residuals - np.repeat(task_medians(residuals, code), n)
    np.abs(size, out=size)
    if (n < _LEAST_ROWS).any():
        size, n = size[np.repeat(n >= _LEAST_ROWS, n)], n[n >= _LEAST_ROWS]
    first = np.cumsum(n) - n
    mean = np.add.reduceat(size, first) / n
    between = float(n @ (mean - size.mean()) ** 2) / (len(n) - 1)
    size -= np.repeat(mean, n)
    within = float(size @ size) / max(len(size) - len(n), 1)
    if within == 0.0:
        return between > 0.0
    return bool(fdtrc(len(n) - 1, len(size) - len(n), between / within) < _CLEAR)


def _prior(mean_square: np.ndarray, free: np.ndarray) -> tuple[float, float]:
    """Center and degrees of freedom of the inverse chi² that the variances are draws of."""
    half = 0.5 * free
    z = np.log(mean_square) - digamma(half) + np.log(half)
    excess = float(z.var(ddof=1) - polygamma(1, half).mean())
    if excess <= polygamma(1, 0.5 * _MOST):
        prior = _MOST
    else:
        prior = 2.0 * float(brentq(lambda x: polygamma(1, x) - excess, 1e-3, _MOST))
    return float(np.exp(z.mean() + digamma(0.5 * prior) - np.log(0.5 * prior))), prior
