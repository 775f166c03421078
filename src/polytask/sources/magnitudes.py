"""Sizes that numbers may have: squares and their sums must keep their exponent."""

from __future__ import annotations

import numpy as np

__all__ = ["first_extreme", "too_small"]

LEAST, MOST = 1e-100, 1e100


def first_extreme(values: np.ndarray) -> int | None:
    """Where the first value stands that is infinite or whose square might overflow.

    Examples
    --------
    >>> first_extreme(np.array([1.0, np.nan, 1e200]))
    2
    """
    extreme = np.abs(values) > MOST
    return int(extreme.argmax()) if extreme.any() else None


def too_small(low: float, high: float) -> bool:
    """Whether values between these vanish when they are squared, though they are not zero.

    Examples
    --------
    >>> too_small(0.0, 1e-200), too_small(0.0, 0.0), too_small(-1.0, 1e-200)
    (True, False, False)
    """
    return 0.0 < max(abs(low), abs(high)) < LEAST
