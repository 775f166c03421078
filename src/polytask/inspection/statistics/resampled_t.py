"""Means over folds whose training sets overlap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.special import expit, logit

__all__ = ["overlap_inflation", "resampled_interval", "resampled_t"]


def overlap_inflation(n_train: float, n_test: float) -> float:
    """By how much overlapping training sets widen the variance of a mean over a task's rows.

    Nadeau and Bengio estimate the variance of a mean of J resampled scores by
    (1/J + n_test / n_train) S². With S² = s² / n_test, from the variance s² of the paired row
    differences, the part that no number of repeats removes is s² / n_train: the variance of the
    mean of all n rows, s² / n, times n / n_train, 1.25 for five folds. In K folds each row is
    tested once, so the noise of the test rows is in that part already. No unbiased estimate
    exists (Bengio and Grandvalet); simulated, the true variance is 0.2 to 1.3 times s² / n, the
    least with many rows (``benchmarks/verdicts.py``).

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52.
    Bengio and Grandvalet (2004), No unbiased estimator of the variance of k-fold
    cross-validation, JMLR 5. Bayle, Bayle, Janson and Mackey (2020), Cross-validation
    confidence intervals for test error, NeurIPS, for s² / n with stable learners.

    Examples
    --------
    >>> overlap_inflation(80, 20)
    1.25
    """
    return (n_train + n_test) / n_train


def resampled_t(
    values: np.ndarray, n_train: float, n_test: float, level: float = 0.95
) -> tuple[float, float]:
    """Standard deviation over folds, and half the width of the interval of their mean.

    The corrected resampled t: with J folds in all (repeats counted) and their variance S²,
    half-width = t_{J-1} sqrt((1/J + n_test / n_train) S²). It speaks about new training and test
    sets of these sizes from these tasks.

    Returns
    -------
    spread, half_width : float
        NaN with fewer than two finite values.

    References
    ----------
    Nadeau and Bengio (2003), Machine Learning 52; Bouckaert and Frank (2004), PAKDD, for
    repeated cross-validation.

    Examples
    --------
    >>> import numpy as np
    >>> spread, half = resampled_t(np.array([1.0, 2.0, 3.0, 2.0, 2.0]), 80, 20)
    >>> round(spread, 3), round(half, 3)
    (0.707, 1.317)
    """
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return np.nan, np.nan
    spread = float(values.std(ddof=1))
    error = spread * np.sqrt(1 / len(values) + n_test / n_train)
    return spread, float(stats.t.ppf((1 + level) / 2, len(values) - 1) * error)


def resampled_interval(
    value: float,
    folds: np.ndarray,
    n_train: float,
    n_test: float,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval about `value`, with the width of the folds' corrected resampled t.

    A metric that has a bound is transformed first, so that no end lies beyond it: log(x - low)
    or -log(high - x) with one bound, the logit with two. A value on a bound is not transformed,
    and its interval ends there.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = resampled_interval(1.0, np.array([0.9, 1.1]), 50, 50, bounds=(0, np.inf))
    >>> 0 < low < 1 < high
    True
    """
    known = folds[np.isfinite(folds)]
    there, back = _scale_of(bounds, np.append(known, value))
    half = resampled_t(there(known), n_train, n_test, level)[1]
    ends = np.clip(back(there(np.asarray(value)) + half * np.array([-1.0, 1.0])), *bounds)
    return float(ends[0]), float(ends[1])


_Map = Callable[[np.ndarray], np.ndarray]


def _scale_of(bounds: tuple[float, float], values: np.ndarray) -> tuple[_Map, _Map]:
    """A map to the whole line and back; the identity where a value lies on a bound."""
    low, high = bounds
    if (values <= low).any() or (values >= high).any() or not np.isfinite(bounds).any():
        return lambda x: x, lambda z: z
    if np.isfinite(low) and np.isfinite(high):
        return lambda x: logit((x - low) / (high - low)), lambda z: low + (high - low) * expit(z)
    if np.isfinite(low):
        return lambda x: np.log(x - low), lambda z: low + np.exp(z)
    return lambda x: -np.log(high - x), lambda z: high - np.exp(-z)
