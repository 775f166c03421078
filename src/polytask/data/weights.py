"""Which sample weights there may be."""

from __future__ import annotations

import numpy as np

__all__ = ["check_weights"]

_LEAST, _MOST = 1e-12, 1e12  # beyond them sums lose the other rows, and squares their exponent


def check_weights(weight: np.ndarray) -> None:
    """Refuse weights that are negative, missing, or so far from 1 that rounding decides.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_weights(np.array([0.0, 1.0, 2.5]))
    """
    if not (weight >= 0).all():
        raise ValueError("sample_weight must be zero or positive; got negative or missing values.")
    extreme = weight[(weight > 0) & ((weight < _LEAST) | (weight > _MOST))]
    if extreme.size:
        raise ValueError(
            f"sample_weight must be zero, or between {_LEAST:g} and {_MOST:g}; got {extreme[0]:g}. "
            "A weight of 2 counts as the row twice: give zero to rows that are not to count."
        )
