"""Features whose task means go with the levels of the tasks: one slope then means two things."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import linalg, stats

from polytask.data.distinct import has_more_than

__all__ = ["LevelSlope", "level_slopes"]

_TASKS = 10
_FREE = 10  # degrees of freedom that a regression has to leave
_ALPHA = 0.01  # over all features of a table
_SHARE = 0.1  # of the variance between the levels that goes with the feature's means
_MOST = 500  # features
_NUMBERS = 1 << 18  # whose deviations are held at a time
_ROUNDING = 1e-13  # of a sum of squares: what a difference of two of them leaves of nothing


LevelSlope = tuple[str, float, float]  # feature, slope inside a task, slope between their means


def level_slopes(X: pd.DataFrame, y: np.ndarray, ids: np.ndarray) -> Iterator[LevelSlope]:
    """Numeric features whose slopes inside and between tasks differ surely and notably.

    The slopes inside come from a regression of deviations from the tasks' means, all features
    together; what it leaves of the tasks' means of y are levels. Where these go with the means of
    a feature, the slope between tasks is another, and so is a common coefficient that learns from
    both. The test is that of Mundlak (1978), Econometrica 46, one feature at a time, Bonferroni
    over all, beside those that are constant inside the tasks; the errors of all slopes inside are
    in it, as the levels are what these leave.
    """
    code = np.asarray(pd.factorize(ids)[0])
    n = np.bincount(code)
    numbers = X.select_dtypes("number")
    if len(n) < _TASKS or not 0 < numbers.shape[1] <= _MOST or not has_more_than(y, 2):
        return
    y = np.asarray(y, dtype=float)
    columns = [*(_filled(numbers[name]) for name in numbers), y]
    means = np.column_stack([np.bincount(code, column) / n for column in columns])
    gram = sum(inside.T @ inside for inside in _inside(columns, means, code))
    spread = np.array([column.std() for column in columns[:-1]])
    varies = np.sqrt(np.diag(gram)[:-1] / len(y)) > 1e-9 * spread
    names = numbers.columns[varies]
    fixed = np.column_stack([np.ones(len(n)), means[:, :-1][:, ~varies]])
    kept = np.append(varies, True)
    means, gram = means[:, kept], gram[np.ix_(kept, kept)]
    free, levels = len(y) - len(n) - len(names), len(n) - 1 - fixed.shape[1]
    if not len(names) or free < _FREE or levels < _TASKS - 2:
        return
    inverse = linalg.pinvh(gram[:-1, :-1])
    slope = inverse @ gram[:-1, -1]
    rest = max(float(gram[-1, -1] - gram[-1, :-1] @ slope), _ROUNDING * float(gram[-1, -1]))
    means[:, -1] -= means[:, :-1] @ slope
    left = means - fixed @ np.linalg.lstsq(fixed, means, rcond=None)[0]
    error = rest / free * _errors(left[:, :-1], inverse)
    for j, (beyond, variance, share) in enumerate(_regressions(left[:, :-1], left[:, -1], levels)):
        t = abs(beyond) / np.sqrt(variance + error[j]) if variance + error[j] > 0 else 0.0
        p = 2 * stats.t.sf(t, levels) * len(names)
        if p < _ALPHA and share > _SHARE:
            yield str(names[j]), float(slope[j]), float(slope[j] + beyond)


def _filled(values: pd.Series) -> np.ndarray:
    """Numbers with their mean in gaps; the column itself where it has none."""
    if not values.hasnans:
        return values.to_numpy(float)
    return values.fillna(values.mean()).fillna(0.0).to_numpy(float)


def _inside(columns: list[np.ndarray], means: np.ndarray, code: np.ndarray) -> Iterator[np.ndarray]:
    """Deviations from the tasks' means, some rows at a time."""
    step = max(1, _NUMBERS // len(columns))
    for first in range(0, len(code), step):
        part = slice(first, first + step)
        yield np.column_stack([column[part] for column in columns]) - means[code[part]]


def _errors(means: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Variances (k,) of `_regressions` for slopes inside of covariance ``inverse`` (k, k).

    A place hardly moves inside a person and far between persons: the error of its slope makes
    levels, which then go with the means of all features that go with the place.
    """
    products = means.T @ means
    size = np.diag(products)
    share = products / np.where(size > 0, size, 1.0)
    return np.einsum("kj,kj->j", share, inverse @ share)


def _regressions(
    means: np.ndarray, level: np.ndarray, free: int
) -> Iterator[tuple[float, float, float]]:
    """Slope of the levels on each feature's means, its variance, and the share that it explains."""
    whole = float(level @ level)
    for x in means.T:
        size = float(x @ x)
        if size <= 0 or whole <= 0:
            yield 0.0, 0.0, 0.0
            continue
        slope = float(x @ level) / size
        left = level - slope * x
        yield slope, float(left @ left) / free / size, 1.0 - float(left @ left) / whole
