"""Variances of many tasks at once: a task with few rows borrows from the others."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, polygamma

__all__ = ["moderated_variance"]

_FLOOR = 1e-5  # of the median variance: log(0) has no place in the moments below
_TREND_TASKS = 10


def moderated_variance(
    variance: np.ndarray, df: np.ndarray, trend: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Variances shrunken towards their common level, and their degrees of freedom.

    The variances s_i² with df_i degrees of freedom are taken as draws around true ones that
    follow a scaled inverse chi-square with d0 degrees of freedom about s0²; d0 and s0² come from
    the first two moments of log s_i². The result is (d0 s0² + df_i s_i²) / (d0 + df_i), with
    d0 + df_i degrees of freedom. Where the tasks differ in scale, d0 is small and little is
    borrowed.

    Parameters
    ----------
    variance : ndarray of shape (m,)
        At least zero; NaN where unknown.
    df : ndarray of shape (m,)
        Degrees of freedom, n_i - 1.
    trend : ndarray of shape (m,), optional
        What log s0² may depend on, linearly. Used from ten tasks that differ in it.

    Returns
    -------
    variance, df : ndarray of shape (m,)
        `df` is infinite where the tasks do not differ in variance at all.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential
    expression, Statistical Applications in Genetics and Molecular Biology 3(1), article 3.
    Law, Chen, Shi and Smyth (2014), voom, Genome Biology 15, R29, for the trend.

    Examples
    --------
    >>> import numpy as np
    >>> v, df = moderated_variance(np.array([1.0, 1.1, 0.9, 5.0]), np.full(4, 2.0))
    >>> bool(v[3] < 5.0)
    True
    """
    known = np.isfinite(variance) & (df > 0)
    if known.sum() < 3 or not np.any(variance[known] > 0):
        return np.where(known, variance, np.nan), np.where(known, df, np.nan)
    basis = _basis(known, trend)
    mean, between = _trend(variance[known], df[known], basis[known])
    level = np.exp(basis @ mean)
    if between <= 0:
        return level, np.full(len(variance), np.inf)
    prior_df = 2 * _inverse_trigamma(between)
    level *= np.exp(digamma(prior_df / 2) - np.log(prior_df / 2))
    own = np.where(known, df, 0.0)
    spread = np.where(known, variance, 0.0)
    return (prior_df * level + own * spread) / (prior_df + own), prior_df + own


def _basis(known: np.ndarray, trend: np.ndarray | None) -> np.ndarray:
    """Constant and, where it can be told, slope of log s0², shape (m, 1 or 2)."""
    ones = np.ones(len(known))
    if trend is None or known.sum() < _TREND_TASKS or np.ptp(trend[known]) == 0:
        return ones[:, None]
    return np.column_stack([ones, np.where(known, trend, trend[known].mean())])


def _trend(variance: np.ndarray, df: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean of log s² less its bias, in the basis, and the true variance about it.

    Moments of log s² (Smyth 2004, section 6.2); tasks weigh by what their log s² tells.
    """
    positive = variance[variance > 0]
    log_variance = np.log(np.maximum(variance, _FLOOR * np.median(positive)))
    excess = log_variance - digamma(df / 2) + np.log(df / 2)
    sampling = polygamma(1, df / 2)
    mean, between = np.zeros(basis.shape[1]), 0.0
    for _ in range(2):  # weights need the variance, which needs the mean
        root = 1 / np.sqrt(sampling + max(between, 0.0))
        mean = np.linalg.lstsq(basis * root[:, None], excess * root, rcond=None)[0]
        left = ((excess - basis @ mean) ** 2).sum() / (len(excess) - basis.shape[1])
        between = left - float(sampling.mean())
    return mean, between


def _inverse_trigamma(value: float) -> float:
    """Solve trigamma(x) = value, by Newton on 1 / trigamma, which is convex (Smyth 2004)."""
    x = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / polygamma(2, x)
        x += step
        if -step / x < 1e-10:
            break
    return float(x)
