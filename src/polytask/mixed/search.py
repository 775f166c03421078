"""Finding the variances that minimize the restricted deviance, zero included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.mixed.point import AnyMixedModel, MixedPoint
from polytask.mixed.root import Root
from polytask.mixed.secant import secant

__all__ = ["TOL", "ZERO", "RemlEstimate", "Variances", "estimate_diagonal"]

_START = 0.1  # deviation variance over noise variance, in scaled columns
_QUIET = 1e-3  # of all variances, where a search starts that has to keep some noise
TOL = 1e-7  # deviance that a last relative change of a variance could still gain
_FAR = (1e2, 1e4, 1e6)  # variances that are tried where the search ends at zero
ZERO = 1e-10  # a smaller variance is zero
_LEAST_KAPPA = 1e-8
_NEAR = 0.3  # slope in log variance from which on steps tell what the average information lacks
_SECANTS = 15  # of them at most
_HIDDEN = 1e-6  # change of the deviance that rounding may hide
_DIGITS = 1e-13  # relative change of the deviance that rounding hides


@dataclass(frozen=True, eq=False)
class RemlEstimate:
    """The minimizing point.

    Parameters
    ----------
    point : MixedPoint
    violation : float
        Largest slope of the deviance: in log variance where it is positive, downhill from zero
        where it is zero.
    n_iter : int
    converged : bool
    root : Root
        How L follows from free parameters.
    parameters : ndarray of shape (q,)
        Those of the point.
    fell : float
        Descent of the deviance, of a search from moments.
    """

    point: MixedPoint
    violation: float
    n_iter: int
    converged: bool
    root: Root
    parameters: np.ndarray
    fell: float = 0.0


@dataclass(frozen=True, eq=False)
class Variances:
    """Which variances there are to estimate, all divided by the noise variance.

    Parameters
    ----------
    model : a mixed model
    groups : int ndarray of shape (p,)
        Group of each column, 0, 1, ...; columns of a group share a variance between tasks; -1 for
        a column that must not deviate.
    common : int ndarray of shape (p,) or None
        The same of w0, whose variances come last: -1 for a coefficient that is free; None frees
        all.
    """

    model: AnyMixedModel
    groups: np.ndarray
    common: np.ndarray | None = None

    @cached_property
    def sum_up(self) -> np.ndarray:
        """Columns by groups, ones and zeros."""
        return _indicator(self.groups)

    @cached_property
    def sum_common(self) -> np.ndarray:
        """Columns by groups of w0."""
        free = np.full(self.groups.shape, -1)
        return _indicator(free if self.common is None else self.common)

    @cached_property
    def least(self) -> np.ndarray:
        """Smallest value of each: zero, but w0 keeps a trace so that its strength is finite."""
        least = np.zeros(self.sum_up.shape[1] + self.sum_common.shape[1])
        least[self.sum_up.shape[1] :] = _LEAST_KAPPA
        return least

    def start(self) -> np.ndarray:
        """Where the search starts: by moments where there are some."""
        gamma, moments = np.where(self.least > 0, 1.0, _START), self.model.moments
        if moments is not None:
            mean = self.sum_up.T @ np.diag(moments) / np.maximum(self.sum_up.sum(axis=0), 1.0)
            gamma[: len(mean)] = np.clip(mean, _QUIET, self.model.most_variance)
        return gamma

    def like(self, estimate: RemlEstimate | None) -> np.ndarray | None:
        """Variances that are those of an estimate on average over the columns of each group."""
        if estimate is None:
            return None
        point = estimate.point
        of_columns = (point.L**2).sum(axis=1)
        between = self.sum_up.T @ of_columns / np.maximum(self.sum_up.sum(axis=0), 1.0)
        if self.common is None or point.kappa is None:
            return between if self.common is None else None
        kappa = np.where(point.J > 0, point.kappa, 0.0)
        return np.append(between, self.sum_common.T @ kappa / self.sum_common.sum(axis=0))

    def at(self, gamma: np.ndarray) -> MixedPoint:
        """The point at these variances."""
        g = self.sum_up.shape[1]
        variance = self.sum_up @ gamma[:g]
        used = np.flatnonzero(variance > 0)
        L = np.zeros((self.model.n_coefs, len(used)))
        L[used, np.arange(len(used))] = np.sqrt(variance[used])
        if self.common is None:
            return self.model.at(L)
        return self.model.at(L, np.where(self.common < 0, np.inf, self.sum_common @ gamma[g:]))

    def estimate(
        self, gamma: np.ndarray, point: MixedPoint, violation: float, n_iter: int, converged: bool
    ) -> RemlEstimate:
        """What a search that ended here has found."""
        deviations = np.sqrt(gamma[: self.sum_up.shape[1]])
        root = Root.diagonal(self.groups)
        return RemlEstimate(point, violation, n_iter, converged, root, deviations)

    def slope(self, point: MixedPoint) -> np.ndarray:
        """Derivative of the deviance in each variance."""
        between = self.sum_up.T @ np.diag(point.gradient)
        if self.common is None:
            return between
        return np.append(between, self.sum_common.T @ point.kappa_gradient)

    def hessian(self, point: MixedPoint) -> np.ndarray:
        """Average information of the variances."""
        return point.information(self.sum_up, self.sum_common)


def _indicator(groups: np.ndarray) -> np.ndarray:
    """Ones where a column (p,) belongs to a group, shape (p, g)."""
    return (groups[:, None] == np.arange(groups.max(initial=-1) + 1)).astype(float)


def estimate_diagonal(
    variances: Variances,
    max_iter: int = 100,
    tol: float = TOL,
    start: np.ndarray | None = None,
) -> RemlEstimate:
    """Variances of the coefficients, one for every group of columns.

    Projected Newton steps on the variances with the average information as Hessian, which of labels
    and counts lacks that the curvature moves: near the end that is learned by secants (SR1: Conn,
    Gould and Toint, Mathematical Programming 50, 1991). A step is halved until the deviance falls.
    """
    gamma = variances.start() if start is None else np.maximum(start, variances.least)
    if variances.model.silent:  # one common part explains all: there is no likelihood to climb
        gamma = np.where(variances.least > 0, variances.model.most_variance, 0.0)
        return variances.estimate(gamma, variances.at(gamma), 0.0, 1, True)
    found = _descend(variances, gamma, max_iter, tol)
    if found.point.noiseless:  # with many columns there often is another optimum, which has noise
        other = _descend(variances, np.maximum(_QUIET, variances.least), max_iter, tol)
        found = min(found, other, key=lambda each: (each.point.noiseless, each.point.deviance))
    higher = _beyond_zero(variances, found)
    return found if higher is None else _descend(variances, higher, max_iter, tol)


def _descend(variances: Variances, gamma: np.ndarray, max_iter: int, tol: float) -> RemlEstimate:
    point = variances.at(gamma)
    slope, hessian = variances.slope(point), variances.hessian(point)
    missing = np.zeros_like(hessian)  # of the Hessian, as steps have shown
    violation, left = np.inf, _SECANTS
    for n_iter in range(1, max_iter + 1):
        violation = _violation(gamma, slope, variances)
        if violation <= tol:
            return variances.estimate(gamma, point, violation, n_iter, True)
        hessians = (hessian + missing, hessian) if missing.any() else (hessian,)
        moved = _step(variances, gamma, point, slope, hessians)
        if moved is None:  # the deviance has no digits left
            break
        before, slope_before = gamma, slope
        gamma, point = moved
        slope, hessian = variances.slope(point), variances.hessian(point)
        if violation < _NEAR:
            step = gamma - before
            missing = secant(missing, slope - slope_before - (hessian + missing) @ step, step)
            left -= 1
        if left < 0 or violation >= _NEAR:  # it is not as smooth there as secants suppose
            missing = np.zeros_like(hessian)
    done = violation <= 1e-4 or point.noiseless
    return variances.estimate(gamma, point, violation, n_iter, done)


def _beyond_zero(variances: Variances, found: RemlEstimate) -> np.ndarray | None:
    """Variances with a lower deviance than where the search ended: far above zeros, and moments.

    A task whose feature is a thousand times larger than elsewhere holds w0; from there the
    deviance rises with the variance before it falls. Labels have a prior against that.
    """
    if not found.point.profiled:
        return None
    ends = found.parameters**2
    far = [np.where(ends == 0, value, ends) for value in _FAR] if (ends == 0).any() else []
    own = variances.model.own_variances
    if own is not None:
        far.append(variances.sum_up.T @ own / np.maximum(variances.sum_up.sum(axis=0), 1.0))
    best, lowest = None, found.point.deviance
    for each in far:
        gamma = variances.start()
        gamma[: len(ends)] = np.minimum(each, variances.model.most_variance)
        deviance = variances.at(gamma).deviance
        if deviance < lowest - 1e-6 * max(abs(lowest), 1.0):
            best, lowest = gamma, deviance
    return best


def _violation(gamma: np.ndarray, slope: np.ndarray, variances: Variances) -> float:
    """Largest slope in log variance; at a bound, the slope inwards (over a small step at zero)."""
    size = np.abs(slope) * gamma
    size = np.where(gamma > variances.least, size, np.maximum(-slope, 0.0) * 1e-4)
    size = np.where(gamma < variances.model.most_variance, size, np.maximum(slope, 0.0) * gamma)
    return float(size.max(initial=0.0))


def _step(
    variances: Variances,
    gamma: np.ndarray,
    point: MixedPoint,
    slope: np.ndarray,
    hessians: Sequence[np.ndarray],
) -> tuple[np.ndarray, MixedPoint] | None:
    """The first of the halved projected Newton steps that lowers the deviance.

    By the first of the Hessians whose steps do.
    """
    least, most = variances.least, variances.model.most_variance
    free = ((gamma > least) | (slope < 0)) & ((gamma < most) | (slope > 0))
    unit = np.maximum(gamma[free], 1e-3)  # in which a variance of 1e8 and one of 1 share a matrix
    for each in hessians:
        hessian = each[np.ix_(free, free)] * unit[:, None] * unit
        # a floor of one tenth of a log-scale Newton step keeps steps sane where there is no slope
        hessian[np.diag_indices_from(hessian)] += 0.1 * np.abs(slope[free]) * unit
        direction = np.zeros_like(gamma)
        direction[free] = -unit * np.linalg.lstsq(hessian, slope[free] * unit, rcond=None)[0]
        if slope @ direction < 0:
            moved = _along(variances, gamma, point, slope, direction)
            if moved is not None:
                return moved
    return None


def _along(
    variances: Variances,
    gamma: np.ndarray,
    point: MixedPoint,
    slope: np.ndarray,
    direction: np.ndarray,
) -> tuple[np.ndarray, MixedPoint] | None:
    """The first of the halved steps in a direction that lowers the deviance."""
    least, most = variances.least, variances.model.most_variance
    for size in 0.5 ** np.arange(20):
        trial = np.clip(gamma + size * direction, least, most)
        trial[trial < ZERO] = least[trial < ZERO]
        found = variances.at(trial)
        gain = point.deviance - found.deviance
        promised = float(slope @ (gamma - trial))
        if gain > 1e-4 * promised and gain > 0:
            return trial, found
        if promised < _HIDDEN and abs(gain) < _HIDDEN:  # of which slopes know more than values
            nearer = _violation(trial, variances.slope(found), variances)
            if nearer < _violation(gamma, slope, variances):
                return trial, found
        if promised < _DIGITS * abs(point.deviance):
            return None
    return None
