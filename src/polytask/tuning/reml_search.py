"""Finding the variances that minimize the restricted deviance, zero included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from polytask.tuning.reml import MixedModel, RemlPoint

__all__ = ["RemlEstimate", "estimate_diagonal", "estimate_full"]

_START = 0.1  # deviation variance over noise variance, in scaled columns
_TOL = 1e-7  # deviance that a last relative change of a variance could still gain


@dataclass(frozen=True, eq=False)
class RemlEstimate:
    """The minimizing point.

    Parameters
    ----------
    point : RemlPoint
    violation : float
        Largest slope of the deviance: in log variance where it is positive, downhill from zero
        where it is zero.
    n_iter : int
    converged : bool
    """

    point: RemlPoint
    violation: float
    n_iter: int
    converged: bool


def estimate_diagonal(model: MixedModel, groups: np.ndarray, max_iter: int = 100) -> RemlEstimate:
    """Variances of the coefficients, one for every group of columns.

    Projected Newton steps on the variances with the average information as Hessian; a step is
    halved until the deviance falls.

    Parameters
    ----------
    groups : int ndarray of shape (p,)
        Group of each column, 0, 1, ...; -1 for a column that must not deviate.
    """
    sum_up = (groups[:, None] == np.arange(groups.max() + 1)).astype(float)
    gamma = np.full(sum_up.shape[1], _START)
    point = _at(model, gamma, sum_up)
    for n_iter in range(1, max_iter + 1):
        slope = sum_up.T @ np.diag(point.gradient)
        violation = _violation(gamma, slope)
        if violation <= _TOL:
            return RemlEstimate(point, violation, n_iter, True)
        moved = _step(model, gamma, sum_up, point, slope)
        if moved is None:
            break
        gamma, point = moved
    return RemlEstimate(point, violation, n_iter, violation <= 1e-4)


def _at(model: MixedModel, gamma: np.ndarray, sum_up: np.ndarray) -> RemlPoint:
    variance = sum_up @ gamma
    used = np.flatnonzero(variance > 0)
    L = np.zeros((model.n_coefs, len(used)))
    L[used, np.arange(len(used))] = np.sqrt(variance[used])
    return model.at(L)


def _violation(gamma: np.ndarray, slope: np.ndarray) -> float:
    size = np.where(gamma > 0, np.abs(slope) * gamma, np.maximum(-slope, 0.0) * 1e-4)
    return float(size.max(initial=0.0))


def _step(
    model: MixedModel,
    gamma: np.ndarray,
    sum_up: np.ndarray,
    point: RemlPoint,
    slope: np.ndarray,
) -> tuple[np.ndarray, RemlPoint] | None:
    """The first of the halved projected Newton steps that lowers the deviance."""
    free = (gamma > 0) | (slope < 0)
    hessian = (sum_up.T @ point.information @ sum_up)[np.ix_(free, free)]
    # a floor of one tenth of a log-scale Newton step keeps steps sane where information is flat
    floor = 0.1 * np.abs(slope[free]) / np.maximum(gamma[free], 1e-3)
    hessian[np.diag_indices_from(hessian)] += floor
    direction = np.zeros_like(gamma)
    direction[free] = -np.linalg.lstsq(hessian, slope[free], rcond=None)[0]
    for size in 0.5 ** np.arange(40):
        trial = np.maximum(gamma + size * direction, 0.0)
        trial[trial < 1e-10] = 0.0
        found = _at(model, trial, sum_up)
        gain = point.deviance - found.deviance
        if gain > 1e-4 * float(slope @ (gamma - trial)) and gain > 0:
            return trial, found
    return None


def estimate_full(model: MixedModel, start: RemlPoint, max_iter: int = 500) -> RemlEstimate:
    """A full covariance of the deviations, by L-BFGS on its Cholesky factor.

    Starts at a diagonal estimate; columns whose variance was zero there start small, because a
    zero column of the factor is stationary whether or not it is a minimum.
    """
    p = model.n_coefs
    low = np.tril_indices(p)
    variance = np.maximum(np.diag(start.L @ start.L.T), 1e-3)
    theta = np.diag(np.sqrt(variance))[low]

    def deviance(theta: np.ndarray) -> tuple[float, np.ndarray]:
        L = np.zeros((p, p))
        L[low] = theta
        point = model.at(L)
        return point.deviance, (2.0 * point.gradient @ L)[low]

    found = minimize(
        deviance, theta, jac=True, method="L-BFGS-B",
        options={
            "maxiter": max_iter, "maxfun": 4 * max_iter, "maxcor": 30,
            "ftol": 1e-13, "gtol": 1e-6,
        },
    )  # fmt: skip
    L = np.zeros((p, p))
    L[low] = found.x
    violation = float(np.abs(found.jac).max())
    return RemlEstimate(model.at(L), violation, int(found.nit), violation <= 1e-3)
