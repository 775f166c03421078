"""How far predictions move when a feature is exchanged with another row's: its total effect.

Jansen, Analysis of variance designs for model output, Comput. Phys. Commun. 1999.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["some_rows", "total_effects"]

_EXCHANGES, _MOST_ROWS = 5, 1000  # of a feature, and rows that tell
_MOST_CELLS = 10**6  # of rows with a feature exchanged that are predicted at once


def some_rows(n: int) -> np.ndarray:
    """Which of n rows tell: all, or as many as suffice, by their places alone."""
    return np.sort(np.random.default_rng(0).permutation(n)[:_MOST_ROWS])


def total_effects(predict: Callable[[np.ndarray], np.ndarray], X: np.ndarray, n: int) -> np.ndarray:
    """Half the mean square (d,) by which predictions move, over their variance.

    Parameters
    ----------
    predict : callable
        Predictions of rows (r k, d), which are X r times, each with a feature exchanged.
    X : ndarray of shape (k, d)
        Rows `some_rows` of n.
    n : int

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> total_effects(lambda Z: Z[:, 0], X, 500).round(1).tolist()
    [1.0, 0.0]
    """
    rng, d = np.random.default_rng(0), X.shape[1]
    rng.permutation(n)  # which drew the rows
    f, moved = predict(X), np.zeros(d)
    at_once = max(_MOST_CELLS // max(X.size, 1), 1)  # features
    for _ in range(_EXCHANGES):
        other = rng.permutation(len(X))
        for first in range(0, d, at_once):
            some = np.arange(first, min(first + at_once, d))
            changed = np.repeat(X[None], len(some), axis=0)
            changed[np.arange(len(some)), :, some] = X[other][:, some].T
            change = predict(changed.reshape(-1, d)).reshape(len(some), -1) - f
            moved[some] += 0.5 * np.mean(change**2, axis=1) / _EXCHANGES
    return moved / f.var() if f.var() > 0 else moved
