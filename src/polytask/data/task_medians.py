"""Medians of rows that belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["task_medians"]


def task_medians(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Median of the values (n,) of each task 0, ..., m - 1, of an even number the middle's mean.

    Examples
    --------
    >>> task_medians(np.array([5.0, 1.0, 2.0, 4.0, 6.0]), np.array([0, 1, 1, 0, 0])).tolist()
    [5.0, 1.5]
    """
    medians = pd.Series(values).groupby(code).median()
    return medians.reindex(range(int(code.max(initial=-1)) + 1)).to_numpy()
