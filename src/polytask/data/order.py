"""The order of tasks' rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["stable_order"]


def stable_order(code: np.ndarray) -> NDArray[np.intp]:
    """Places of whole numbers from zero on, rising, equal ones as they stand.

    In as few bytes as hold them: numbers of two bytes are put in order by digits.

    Examples
    --------
    >>> stable_order(np.array([2, 0, 2, 1, 0])).tolist()
    [1, 4, 3, 0, 2]
    """
    return np.argsort(code.astype(np.min_scalar_type(code.max(initial=0))), kind="stable")
