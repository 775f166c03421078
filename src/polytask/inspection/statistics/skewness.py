"""Means of few skewed values: t-tests and intervals without the bias of skewness."""

from __future__ import annotations

import numpy as np

__all__ = ["pooled_skewness", "transformed_t", "without_skewness"]

_LEAST = 1e-8  # below it the transformation is the identity to the last digit


def pooled_skewness(n: np.ndarray, second: np.ndarray, third: np.ndarray) -> float:
    """Mean over tasks of the skewness of the values inside each task.

    Few values say little about their own skewness, so all tasks share one; tasks with fewer than
    three values, or with equal ones, have none. The factor sqrt(n (n - 1)) / (n - 2) is the one
    of Joanes and Gill (1998), The Statistician 47.

    Parameters
    ----------
    n, second, third : ndarray of shape (m,)
        Values of each task, and their central moments, as means.

    Examples
    --------
    >>> import numpy as np
    >>> pooled_skewness(np.array([3.0, 3.0]), np.array([2 / 3, 18.0]), np.array([0.0, 54.0])) > 0.8
    True
    """
    used = (n >= 3) & (second > 1e-300)
    if not used.any():
        return 0.0
    n, skewness = n[used], third[used] / second[used] ** 1.5
    return float(np.mean(skewness * np.sqrt(n * (n - 1)) / (n - 2)))


def without_skewness(quantile: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """The t whose transform has this quantile: g^-1 of Hall (1992).

    The t-statistic T of n values with skewness c is skewed itself, with `bend` = c / sqrt(n):
    where the mean comes out too small, so does its standard error. Hall's
    g(T) = T + bend T² / 3 + bend² T³ / 27 + bend / 6 is monotone and free of that to the order
    1 / n, so the interval of the mean x with standard error s is
    x - s g^-1(upper quantile) to x - s g^-1(lower quantile).

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, JRSS B 54.

    Examples
    --------
    >>> import numpy as np
    >>> without_skewness(np.array([-2.0, 2.0]), np.array([0.3, 0.3])).round(2).tolist()
    [-2.73, 1.66]
    """
    small = np.abs(bend) < _LEAST
    k = np.where(small, 1.0, bend)
    found: np.ndarray = np.where(small, quantile, 3 / k * (np.cbrt(1 + k * (quantile - k / 6)) - 1))
    return found


def transformed_t(t: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """g(T) of `without_skewness`, for a test of the mean.

    Examples
    --------
    >>> import numpy as np
    >>> bend = np.array([0.3])
    >>> bool(np.isclose(transformed_t(without_skewness(np.array([1.9]), bend), bend), 1.9)[0])
    True
    """
    found: np.ndarray = t + bend * t**2 / 3 + bend**2 * t**3 / 27 + bend / 6
    return found
