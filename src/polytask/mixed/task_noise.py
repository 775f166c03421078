"""A noise variance for each task, where tasks clearly differ in it.

At a fit, task i has the residual mean square s_i² on n_i - tr H_i degrees of freedom, H_i its hat
matrix. Whether tasks differ is asked by the Brown-Forsythe test of the residuals' sizes, which
heavy tails do not mislead. Where they do, the logarithms of the true variances are taken as draws
of a scaled inverse chi² distribution, whose center and degrees of freedom the s_i² tell, so that
tasks of few rows stay near the others (Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, fdtrc, polygamma

from polytask.data import TaskData
from polytask.data.row_sums import added, quadratic_forms
from polytask.data.task_loops import floats, row_loops
from polytask.data.task_medians import task_medians

__all__ = ["task_noise"]

_CLEAR = 1e-4  # p-value from which on tasks differ in noise
_LEAST_ROWS = 3  # of a task that is asked
_LEAST_LEFT = 1e-3  # share of a row that its fit leaves
_FEW, _PRODUCTS = 16, 5.0  # columns up to which one pass is faster; what it saves, in products
_MOST = 1e6  # degrees of freedom of a prior under which all are alike


class Spreads(NamedTuple):
    """What the residuals of each task say of its noise.

    Parameters
    ----------
    free, square : ndarray of shape (m,)
        Degrees of freedom n_i - tr H_i, and weighted sums of squares.
    size, within : ndarray of shape (m,)
        Mean distance of standardized residuals from their median, and squares about that mean.
    """

    free: np.ndarray
    square: np.ndarray
    size: np.ndarray
    within: np.ndarray


def task_noise(
    data: TaskData, coefs: np.ndarray, covariance: np.ndarray, test: bool
) -> np.ndarray | None:
    """Noise variance of each task, shape (m,); None where they do not clearly differ.

    Parameters
    ----------
    data : TaskData
        Whose sample weights are precisions inside tasks.
    coefs : ndarray of shape (m, p)
    covariance : ndarray of shape (m, p, p)
        Of each task's coefficients, over the noise of its rows of weight one.
    test : bool
        Whether to ask for a clear difference first.
    """
    found = _spreads(data, coefs, covariance)
    if test and not _differ(found, data.sizes):
        return None
    mean_square = found.square / np.maximum(found.free, 1e-300)
    known = (found.free > 1.0) & (mean_square > 0)
    if known.sum() < 2:
        return None
    center, prior = _prior(mean_square[known], found.free[known])
    free = np.where(known, found.free, 0.0)
    total = prior * center + free * np.where(known, mean_square, 0.0)
    return np.asarray(total / (prior + free))


def _spreads(data: TaskData, coefs: np.ndarray, covariance: np.ndarray) -> Spreads:
    design, weight, n = data.design, data.sample_weight, data.sizes
    if (compiled := row_loops(design, _PRODUCTS, _FEW, "spreads")) is not None:
        args = map(floats, (data.y, weight, coefs, covariance))
        return Spreads(*compiled.spreads(design.X, design.start, *args, _LEAST_LEFT))
    left = quadratic_forms(design, covariance)
    left *= -weight
    left += 1.0
    np.clip(left, _LEAST_LEFT, 1.0, out=left)
    e = data.y - design.predict(coefs)
    e *= np.sqrt(weight)
    free, square = added(left, data.start), added(e**2, data.start)
    e /= np.sqrt(left)
    e -= np.repeat(task_medians(e, data.code), n)
    np.abs(e, out=e)
    size = added(e, data.start) / np.maximum(n, 1)
    e -= np.repeat(size, n)
    return Spreads(free, square, size, added(e**2, data.start))


def _differ(found: Spreads, n: np.ndarray) -> bool:
    """Brown and Forsythe's test: an analysis of variance of distances from the tasks' medians."""
    asked = n >= _LEAST_ROWS
    if asked.sum() < 2:
        return False
    n, size = n[asked], found.size[asked]
    between = float(n @ (size - n @ size / n.sum()) ** 2) / (len(n) - 1)
    left = int(n.sum()) - len(n)
    within = float(found.within[asked].sum()) / left
    if within == 0.0:
        return between > 0.0
    return bool(fdtrc(len(n) - 1, left, between / within) < _CLEAR)


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
