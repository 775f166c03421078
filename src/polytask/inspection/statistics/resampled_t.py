"""Means over folds whose training sets overlap."""

from __future__ import annotations

import numpy as np
from scipy import stats

__all__ = ["overlap_inflation", "resampled_t"]


def overlap_inflation(n_train: float, n_test: float, n_folds: int) -> float:
    """How many times larger than "independent folds" the variance of a cross-validated mean is.

    Nadeau and Bengio put the correlation between two folds at the share of test rows, which
    makes Var(mean of K folds) = (1/K + n_test / n_train) S² instead of S² / K, that is
    1 + K n_test / n_train times as much: 2.25 for five folds. It is a working rule, no unbiased
    estimate exists, and it errs on the wide side for stable learners.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52.
    Bengio and Grandvalet (2004), No unbiased estimator of the variance of k-fold
    cross-validation, JMLR 5.

    Examples
    --------
    >>> overlap_inflation(80, 20, 5)
    2.25
    """
    return 1.0 + n_folds * n_test / n_train


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
