"""Synthetic rows in several groupings, crossed or nested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.utils import check_random_state

__all__ = ["make_crossed_rows"]


def make_crossed_rows(
    n_rows: int = 600,
    groupings: Mapping[str, int] | None = None,
    n_features: int = 2,
    *,
    level: Sequence[float] = (1.0, 0.7),
    slope: Sequence[float] = (0.0, 0.0),
    noise: float = 1.0,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[pd.DataFrame, np.ndarray, dict[str, np.ndarray]]:
    """Make rows whose coefficients are w0 plus a deviation of the row's level in each grouping.

    Parameters
    ----------
    n_rows : int
    groupings : dict of str to int, optional
        Column and number of levels of each grouping; 40 users and 15 items unless given. Levels
        of a row are drawn independently.
    n_features : int
        Standard normal features x0, x1, ...; w0 has entries of one and minus one in turn.
    level, slope : sequence of float
        Standard deviations of levels and of slopes between the levels of each grouping.
    noise : float
        Standard deviation of the noise; of labels, the scale of the log odds.
    classification : bool
        Labels 0 and 1 instead of numbers.
    random_state : int, RandomState or None

    Returns
    -------
    X : DataFrame of shape (n_rows, n_features + groupings)
    y : ndarray of shape (n_rows,)
    deviations : dict of str to ndarray of shape (levels, n_features + 1)
        Those of every grouping, that of the level last.

    Examples
    --------
    >>> X, y, deviations = make_crossed_rows(5, n_features=1, random_state=0)
    >>> list(X), deviations["item"].shape
    (['x0', 'user', 'item'], (15, 2))
    """
    random = check_random_state(random_state)
    groupings = {"user": 40, "item": 15} if groupings is None else dict(groupings)
    features = random.standard_normal((n_rows, n_features))
    common = (-1.0) ** np.arange(n_features)
    f = features @ common
    X = pd.DataFrame(features, columns=[f"x{k}" for k in range(n_features)])
    deviations = {}
    for (name, m), high, steep in zip(groupings.items(), level, slope, strict=True):
        spread = np.append(np.full(n_features, steep), high)
        deviations[name] = spread * random.standard_normal((m, n_features + 1))
        code = random.randint(m, size=n_rows)
        X[name] = code
        f += (features * deviations[name][code, :-1]).sum(axis=1) + deviations[name][code, -1]
    y = f + noise * random.standard_normal(n_rows)
    if classification:
        y = (random.uniform(size=n_rows) < expit(f / noise)).astype(int)
    return X, y, deviations
