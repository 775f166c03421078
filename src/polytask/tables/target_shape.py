"""Targets that plain squared error serves badly: of unlike spread by task."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from polytask.tables.care import spread_by_task
from polytask.tables.finding import Finding

__all__ = ["target_shape"]

_TENFOLD = 10.0
_SURE, _CHANCE = 2.0, 0.6  # errors of log spread, and n times its variance


def target_shape(y: np.ndarray, ids: pd.Series, target: str) -> Iterator[Finding]:
    """Findings about a target of numbers that was taken as it is.

    Examples
    --------
    >>> y, ids = np.arange(1.0, 21) * np.repeat([1.0, 100], 10), pd.Series(np.repeat([1, 2], 10))
    >>> [finding.remedy for finding in target_shape(y, ids, "y")]
    ['To count tasks alike, say --scale-target task.']
    """
    by = ids.to_numpy()
    spread = spread_by_task(pd.Series(y), by)
    if len(spread) < 2:
        return
    error = _SURE * np.sqrt(_CHANCE / pd.Series(by).value_counts().loc[spread.index])
    low, high = (np.log(spread) + error).min(), (np.log(spread) - error).max()
    if high - low >= np.log(_TENFOLD):
        most, least = spread.idxmax(), spread.idxmin()
        yield Finding(
            "warning",
            f"{target!r} varies {spread.max() / spread.min():,.0f} times as much in task {most!s} "
            f"as in {least!s}: errors, strengths and the verdict are those of tasks such as "
            f"{most!s}.",
            "To count tasks alike, say --scale-target task.",
        )
