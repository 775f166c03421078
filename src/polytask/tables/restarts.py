"""Whole numbers that start again in every task and name groups inside it: classes in schools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

__all__ = ["restarting"]

_MOST = 60  # groups inside a task
_LARGEST = 0.7  # share of a task's rows in its largest group
_CHANCE = 1e-3  # level of the test that groups of one number differ between tasks


def restarting(X: pd.DataFrame, y: np.ndarray, codes: np.ndarray) -> Iterator[str]:
    """Columns of whole numbers 1, 2, ... (or 0, 1, ...) in every task, whose groups differ.

    A rating or a year has such numbers too, but means the same in all tasks. So the target has to
    differ between the groups of a task more than the numbers themselves explain over all tasks:
    the interaction of number and task, by an F test.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
    y : ndarray of shape (n,)
    codes : int ndarray of shape (n,)
        Task of each row.
    """
    for name in X.select_dtypes("number"):
        values = X[name].to_numpy(dtype=float)
        if not np.isfinite(values).all() or values.min(initial=2) not in (0, 1):
            continue
        if values.max() > _MOST or (values != np.round(values)).any():
            continue
        if _counts_up(values.astype(int), codes) and _differs(values.astype(int), y, codes):
            yield str(name)


def _counts_up(values: np.ndarray, codes: np.ndarray) -> bool:
    """Whether the numbers of each task have no gap, most tasks several, and cells some rows."""
    by_task = pd.Series(values).groupby(codes).agg(["min", "max", "nunique"])
    whole = by_task["max"] - by_task["min"] + 1 == by_task["nunique"]
    low = by_task["min"] == values.min()
    cells = int(by_task["nunique"].sum())
    sizes = pd.Series(values).groupby(codes).agg(lambda v: v.value_counts(normalize=True).max())
    if float(sizes.median()) > _LARGEST:  # counts, mostly zero
        return False
    several = float((by_task["nunique"] > 1).mean())
    return bool((whole & low).mean() > 0.9 and several > 0.5 and len(values) >= 2 * cells
                and by_task["nunique"].max() > 2)  # fmt: skip


def _differs(values: np.ndarray, y: np.ndarray, codes: np.ndarray) -> bool:
    """Whether the same number means another level of the target in another task."""
    inside = y - pd.Series(y).groupby(codes).transform("mean").to_numpy()
    cell = pd.factorize(codes * (_MOST + 1) + values)[0]
    means = pd.Series(inside).groupby(cell).transform("mean").to_numpy()
    one_hot = (values[:, None] == np.unique(values)).astype(float)
    one_hot -= pd.DataFrame(one_hot).groupby(codes).transform("mean").to_numpy()
    main = one_hot @ np.linalg.lstsq(one_hot, inside, rcond=None)[0]
    n_cells, n_tasks = int(cell.max()) + 1, len(np.unique(codes))
    free = n_cells - n_tasks - np.linalg.matrix_rank(one_hot)
    rest = len(y) - n_cells
    if free < 1 or rest < 1:
        return False
    between = float((means**2).sum() - (main**2).sum()) / free
    within = float(((inside - means) ** 2).sum()) / rest
    return bool(between > within * stats.f.isf(_CHANCE, free, rest))
