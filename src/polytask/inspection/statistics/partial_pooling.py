"""Partial pooling of the gains themselves: a task with eight rows proves little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

__all__ = ["Pooled", "partial_pooling"]


@dataclass(frozen=True)
class Pooled:
    """Shrunken estimates with intervals, and what they were shrunken towards.

    Attributes
    ----------
    value, low, high : ndarray of shape (m,)
    mean : float
        The common mean.
    between : float
        Variance between the true values, after the noise is taken off.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: float
    between: float


def partial_pooling(estimate: np.ndarray, variance: np.ndarray, level: float = 0.95) -> Pooled:
    """Empirical-Bayes estimates under a normal-normal model.

    estimate_i ~ N(theta_i, variance_i) and theta_i ~ N(mean, between). `between` solves
    sum_i (estimate_i - mean)² / (variance_i + between) = k - 1 (Paule and Mandel), zero if that
    has no root. Then theta_i is estimated by mean + (1 - B_i)(estimate_i - mean) with
    B_i = variance_i / (variance_i + between); its interval holds the posterior variance, the
    variance of the mean, and Morris' term for the estimation of `between`.

    Parameters
    ----------
    estimate, variance : ndarray of shape (m,)
        An estimate that is NaN gets NaN back; if only its variance is NaN it gets the mean.
    level : float, default=0.95
        Coverage of the intervals, on average over the tasks.

    References
    ----------
    Paule and Mandel (1982), Journal of Research of the National Bureau of Standards 87;
    Morris (1983), Parametric empirical Bayes inference, JASA 78; Veroniki et al. (2016),
    Research Synthesis Methods 7, compares estimators of `between`.

    Examples
    --------
    >>> import numpy as np
    >>> pooled = partial_pooling(np.array([0.0, 0.1, 1.0]), np.array([0.1, 0.1, 10.0]))
    >>> bool(pooled.value[2] < 0.2)  # the noisy task moves to the others
    True
    """
    used = np.isfinite(estimate) & np.isfinite(variance) & (variance > 0)
    if used.sum() < 2:
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(variance)
        return Pooled(estimate, estimate - half, estimate + half, float("nan"), float("nan"))
    between = _between(estimate[used], variance[used])
    mean = float(np.average(estimate[used], weights=1 / (variance[used] + between)))
    known = np.where(np.isfinite(variance), np.maximum(variance, 1e-300), np.inf)
    shrink = np.where(np.isfinite(known), known / (known + between), 1.0)
    away = np.where(shrink < 1, estimate - mean, 0.0)
    value = np.where(np.isfinite(estimate), mean + (1 - shrink) * away, np.nan)
    error = np.sqrt(_posterior(shrink, away, between, used, known))
    half = stats.norm.ppf((1 + level) / 2) * error
    return Pooled(value, value - half, value + half, mean, between)


def _between(estimate: np.ndarray, variance: np.ndarray) -> float:
    def excess(between: float) -> float:
        weight = 1 / (variance + between)
        mean = np.average(estimate, weights=weight)
        return float(np.sum(weight * (estimate - mean) ** 2) - (len(estimate) - 1))

    if excess(0.0) <= 0:
        return 0.0
    high = float(np.ptp(estimate) ** 2 + variance.max())
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-14 * high))


def _posterior(
    shrink: np.ndarray, away: np.ndarray, between: float, used: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Variance of theta_i given the estimates (Morris 1983, equations 4.1 to 4.3)."""
    k = int(used.sum())
    of_mean = 1 / np.sum(1 / (known[used] + between))
    own = np.where(np.isfinite(known), (1 - shrink) * np.where(shrink < 1, known, 0), between)
    doubt = 2 / max(k - 3, 1) * (shrink * away) ** 2
    return own + shrink**2 * of_mean + doubt
