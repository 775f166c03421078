"""Partial pooling of the gains themselves: a task with eight rows proves little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Pooled", "partial_pooling"]

_LIMIT = 1.0  # standard errors that an estimate may move: keeps outlier tasks visible
_LEAST_FOR_SIZE = 8  # estimates that a slope on the size needs


@dataclass(frozen=True)
class Pooled:
    """Shrunken estimates with intervals, and what they were shrunken towards.

    Attributes
    ----------
    value, low, high : ndarray of shape (m,)
    centre : ndarray of shape (m,)
        The expected value at the size of each task.
    between : float
        Variance of the true values about the centre, after the noise is taken off.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    between: float


def partial_pooling(
    estimate: np.ndarray, variance: np.ndarray, rows: np.ndarray, level: float = 0.95
) -> Pooled:
    """Empirical-Bayes estimates under a normal-normal model with the size of the task in it.

    estimate_i ~ N(theta_i, variance_i) and theta_i ~ N(a + b / rows_i, between): what sharing
    gains falls with 1 / rows, as the error of learning alone does. a and b are unweighted least
    squares, and `between` is the residual variance less what the noise explains, because
    weights of 1 / variance_i would let the tasks with small losses speak for those with large
    ones. theta_i is estimated by centre_i + (1 - B_i)(estimate_i - centre_i) with
    B_i = variance_i / (variance_i + between), but moves from estimate_i by one standard error at
    most, so that a task unlike all others still shows. The interval holds the posterior
    variance at `between` plus its standard error, the errors of the centre and of `between`
    (together never more than the task's own variance), and the distance that the limit cut off.

    Parameters
    ----------
    estimate, variance, rows : ndarray of shape (m,)
        An estimate that is NaN or has no variance gets the centre, with its spread.
    level : float, default=0.95
        Coverage of the intervals, on average over the tasks.

    References
    ----------
    Morris (1983), Parametric empirical Bayes inference, JASA 78; Hedges and Olkin (1985),
    Statistical Methods for Meta-Analysis, chapter 9, for `between`; Efron and Morris (1972),
    Limiting the risk of Bayes and empirical Bayes estimators, JASA 67, for the limit.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.array([0.01, 0.01, 0.01, 4.0])
    >>> pooled = partial_pooling(np.array([0.0, 0.1, 0.2, 2.0]), noise, np.full(4, 30))
    >>> bool(pooled.value[3] < 1.0)  # the noisy task moves to the others
    True
    """
    used = np.isfinite(estimate) & np.isfinite(variance) & (variance > 0)
    if used.sum() < 3:
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance)
        nothing = np.full(len(estimate), np.nan)
        return Pooled(estimate, estimate - half, estimate + half, nothing, float("nan"))
    design = _design(rows, used)
    solve = np.linalg.pinv(design[used])
    centre = design @ (solve @ estimate[used])
    between, doubt = _between((estimate - centre)[used], variance[used], design[used] @ solve)
    of_centre = (design @ solve) ** 2 @ (variance[used] + between)
    value, error = _posterior(estimate, variance, centre, between, doubt, of_centre, used)
    half = stats.norm.ppf((1 + level) / 2) * error
    return Pooled(value, value - half, value + half, centre, between)


def _design(rows: np.ndarray, used: np.ndarray) -> np.ndarray:
    """A constant, and 1 / rows where the tasks differ enough in size and are enough."""
    one = np.ones((len(rows), 1))
    inverse = 1.0 / np.maximum(rows, 1)
    spread = inverse[used].std()
    if used.sum() < _LEAST_FOR_SIZE or spread < 0.01 * inverse[used].mean():
        return one
    # a task that was never scored is smaller than all others: no extrapolation to it
    scaled = (np.minimum(inverse, inverse[used].max()) - inverse[used].mean()) / spread
    return np.column_stack([one, scaled])


def _between(residual: np.ndarray, variance: np.ndarray, hat: np.ndarray) -> tuple[float, float]:
    """Variance between true values, and the variance of that estimate."""
    freedom = len(residual) - np.trace(hat)
    noise = ((1 - np.diag(hat)) * variance).sum()
    between = max(0.0, float((residual @ residual - noise) / freedom))
    return between, float(2 * np.mean((variance + between) ** 2) / freedom)


def _posterior(
    estimate: np.ndarray,
    variance: np.ndarray,
    centre: np.ndarray,
    between: float,
    doubt: float,
    of_centre: np.ndarray,
    used: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Value and standard error of theta; without an own estimate, the centre and its spread."""
    own = np.where(used, variance, 1.0)
    shrink = own / (own + between)
    away = np.where(used, estimate - centre, 0.0)
    full = centre + (1 - shrink) * away
    reach = _LIMIT * np.sqrt(own)
    value = np.clip(full, centre + away - reach, centre + away + reach)
    slope = own / (own + between) ** 2 * away  # of `full` in `between`
    likely = between + np.sqrt(doubt)  # at the estimate itself, which may be 0, it is too narrow
    spread = own * likely / (own + likely) + shrink**2 * of_centre + slope**2 * doubt
    with_own = np.minimum(spread, own) + (value - full) ** 2
    error = np.sqrt(np.where(used, with_own, between + of_centre))
    return np.where(used, value, centre), error
