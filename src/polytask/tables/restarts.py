"""Whole numbers that start again in every task and name groups inside it: classes in schools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from polytask.tables.finding import Finding

__all__ = ["crossed_or_nested", "restarting"]

_MOST = 60  # groups inside a task
_LARGEST = 0.7  # share of a task's rows in its largest group
_CHANCE = 1e-3  # level of the test that groups of one number differ between tasks
_IN_COMMON = 0.01  # level of the test that one id has something in common over all tasks
_MOST_BESIDE = 50  # features that the tests hold


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
        ids = values.astype(int)
        if _counts_up(ids, codes) and _tests(ids, y, codes)[0] < _CHANCE:
            yield str(name)


def crossed_or_nested(
    ids: Mapping[str, pd.Series], groupings: Sequence[tuple[str, ...]], X: pd.DataFrame,
    y: np.ndarray, target: str,
) -> Iterator[Finding]:  # fmt: skip
    """A question where groupings are said to be crossed and ids of one may be names inside another.

    Of crossed groupings one id means the same everywhere. Where ids start again in every level of
    the other grouping, combinations differ (an F test of the interaction, features held) and one
    id has nothing in common over the levels (an F test of it against the interaction), that is to
    be doubted. With a row a combination nothing can be told.

    Parameters
    ----------
    ids : mapping of str to Series of shape (n,)
        Ids of the rows in the column of every grouping.
    groupings : sequence of tuple of str
        The columns of each.
    X : DataFrame of shape (n, d)
    y : ndarray of shape (n,)
    target : str
    """
    pairs = list(combinations([g[0] for g in groupings if len(g) == 1], 2))
    if not pairs:
        return
    Z = _held(X)
    ranks = {name: _ranks(values) for name, values in ids.items()}
    for outer, inner in pairs:
        if any({outer, inner} <= set(columns) for columns in groupings):
            continue
        fewer = sorted((inner, outer), key=lambda name: ids[name].nunique())
        for b, a in (fewer, fewer[::-1]):  # the inner of two is the one of fewer ids
            known = (ranks[a] >= 0) & (ranks[b] >= 0)
            values, codes = ranks[b][known], ranks[a][known]
            if values.max(initial=0) >= _MOST or not _counts_up(values, codes, least=2):
                continue
            own, common = _tests(values, y[known], codes, Z[known])
            if own < _CHANCE and common > _IN_COMMON:
                yield Finding(
                    "warning",
                    f"{a!r} and {b!r} are given as crossed, but {target!r} shows nothing that one "
                    f"{b!r} has in common over all {a!r}, while those inside a {a!r} differ.",
                    f"If {ids[b][known].iloc[0]} in one {a!r} is another {b!r} than in the next, "
                    f"write {a}/{b} in place of the two (task=['{a}/{b}'] in Python).",
                )
                break


def _held(X: pd.DataFrame) -> np.ndarray:
    """Numbers, and columns of the labels that are few; gaps take the mean."""
    parts = [
        X[[n]].astype(float) if pd.api.types.is_numeric_dtype(X[n]) else pd.get_dummies(X[n])
        for n in X if pd.api.types.is_numeric_dtype(X[n]) or X[n].nunique() <= _MOST_BESIDE
    ]  # fmt: skip
    if not parts:
        return np.zeros((len(X), 0))
    beside = pd.concat(parts, axis=1).iloc[:, :_MOST_BESIDE].astype(float)
    return beside.fillna(beside.mean()).fillna(0.0).to_numpy()


def _ranks(ids: pd.Series) -> np.ndarray:
    """Place of each id among them, -1 for none; the shorter first: "9" before "10"."""
    known = sorted(ids.dropna().unique(), key=lambda v: (len(str(v)), str(v)))
    return np.asarray(pd.Index(known).get_indexer(ids))


def _counts_up(values: np.ndarray, codes: np.ndarray, least: int = 3) -> bool:
    """Whether the numbers of each task have no gap, most tasks several, and cells some rows."""
    cells = pd.Series(1.0, index=pd.MultiIndex.from_arrays([codes, values])).groupby(level=[0, 1])
    sizes = cells.sum()
    by_task = sizes.index.to_frame()[1].groupby(level=0).agg(["min", "max", "count"])
    whole = by_task["max"] - by_task["min"] + 1 == by_task["count"]
    low = by_task["min"] == values.min()
    largest = sizes.groupby(level=0).max() / sizes.groupby(level=0).sum()
    if float(largest.median()) > _LARGEST:  # counts, mostly zero
        return False
    several = float((by_task["count"] > 1).mean())
    return bool((whole & low).mean() > 0.9 and several > 0.5 and len(values) >= 2 * len(sizes)
                and by_task["count"].max() >= least)  # fmt: skip


def _tests(
    values: np.ndarray, y: np.ndarray, codes: np.ndarray, Z: np.ndarray | None = None
) -> tuple[float, float]:
    """How likely by chance: that one number differs so between tasks; that numbers differ so.

    The second is against the first, as of tasks that are drawn. Features Z (n, k) are held.
    """
    Z = np.zeros((len(y), 0)) if Z is None else Z
    one_hot = (values[:, None] == np.unique(values)).astype(float)
    cell = pd.factorize(codes * (_MOST + 1) + values)[0]
    left = [
        _left(columns, y, by)
        for columns, by in ((Z, codes), (np.hstack([one_hot, Z]), codes), (Z, cell))
    ]
    (alone, n_alone), (main, n_main), (within, rest) = left
    free, numbers = n_main - rest, n_alone - n_main
    if free < 1 or rest < 1 or numbers < 1:
        return 1.0, 1.0
    between = max(main - within, 0.0) / free
    own = stats.f.sf(between / max(within / rest, 1e-300), free, rest)
    common = stats.f.sf((alone - main) / numbers / max(between, 1e-300), numbers, free)
    return float(own), float(common)


def _left(columns: np.ndarray, y: np.ndarray, by: np.ndarray) -> tuple[float, int]:
    """Sum of squares that columns leave of y inside groups, and its degrees of freedom."""
    inside = pd.DataFrame(np.column_stack([columns, y]))
    inside -= inside.groupby(by).transform("mean")
    X, e = inside.to_numpy()[:, :-1], inside.to_numpy()[:, -1]
    size = np.sqrt(np.square(X).mean(axis=0))
    X = X[:, size > 1e-10] / size[size > 1e-10]
    free = len(y) - len(np.unique(by)) - (np.linalg.matrix_rank(X) if X.size else 0)
    fitted = X @ np.linalg.lstsq(X, e, rcond=None)[0] if X.size else 0.0
    return float(np.square(e - fitted).sum()), int(free)
