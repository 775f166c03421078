"""Targets that plain squared error serves badly: of unlike spread by task, or skewed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import skew

from polytask.data.distinct import has_more_than
from polytask.tables.care import spread_by_task
from polytask.tables.finding import Finding

__all__ = ["target_shape"]

_TENFOLD = 10.0
_SURE, _CHANCE = 2.0, 0.6  # errors of log spread, and n times its variance
_LEVELS = (3, 10)  # distinct whole numbers, one after the other, that may be ordered levels
_LEAST_ROWS, _SKEWED, _EVEN = 30, 2.0, 1.0  # skewness of y, and of its logarithm


def target_shape(y: np.ndarray, ids: pd.Series, target: str) -> Iterator[Finding]:
    """Findings about a target of numbers that was taken as it is.

    Examples
    --------
    >>> y, ids = np.arange(1.0, 21) * np.repeat([1.0, 100], 10), pd.Series(np.repeat([1, 2], 10))
    >>> [finding.remedy for finding in target_shape(y, ids, "y")]
    ['To learn from tasks alike, say --scale-target task; to judge them alike, --metric nmse.']
    """
    yield from _unlike_spread(y, ids, target)
    yield from _skewed(y, target)
    yield from _few_levels(y, target)


def _unlike_spread(y: np.ndarray, ids: pd.Series, target: str) -> Iterator[Finding]:
    code = pd.factorize(ids)[0]
    spread = spread_by_task(y, code)
    if len(spread) < 2:
        return
    error = _SURE * np.sqrt(_CHANCE / np.bincount(code)[spread.index.to_numpy()])
    low, high = (np.log(spread) + error).min(), (np.log(spread) - error).max()
    if high - low >= np.log(_TENFOLD):
        ends = (spread.idxmax(), spread.idxmin())
        most, least = (ids.iloc[int(np.argmax(code == at))] for at in ends)
        yield Finding(
            "warning",
            f"{target!r} varies {spread.max() / spread.min():,.0f} times as much in task {most!s} "
            f"as in {least!s}: errors, strengths and the verdict are those of tasks such as "
            f"{most!s}.",
            "To learn from tasks alike, say --scale-target task; to judge them alike, "
            "--metric nmse.",
        )


def _skewed(y: np.ndarray, target: str) -> Iterator[Finding]:
    if len(y) < _LEAST_ROWS or y.min() <= 0 or not skew(y) > _SKEWED:
        return
    if abs(skew(np.log(y))) >= _EVEN:
        return
    yield Finding(
        "warning",
        f"{target!r} is positive and skewed (the largest is "
        f"{y.max() / np.median(y):,.0f} times the median): a few large values decide what "
        "squared error says.",
        "Say --loss gamma, or --transform log, if effects are factors rather than sums.",
    )


def _few_levels(y: np.ndarray, target: str) -> Iterator[Finding]:
    fewest, most = _LEVELS
    if len(y) < _LEAST_ROWS or has_more_than(y, most) or not has_more_than(y, fewest - 1):
        return
    levels = np.unique(y)
    if (levels != levels[0] + np.arange(len(levels))).any():
        return
    yield Finding(
        "note",
        f"{target!r} holds the whole numbers {levels[0]:g} to {levels[-1]:g}, taken for amounts.",
        "If they are ordered levels, such as ratings, say --kind ordinal.",
    )
