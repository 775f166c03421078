"""Which rows are held out together: those of one group, or later ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import column_or_1d

from polytask.data.folds import task_folds
from polytask.data.frames import to_array

__all__ = ["Folds", "group_folds", "later_folds", "read_held", "validation_part"]


@dataclass(frozen=True, eq=False)
class Folds:
    """What is trained on and what is held out, fold by fold.

    Parameters
    ----------
    fold : int ndarray of shape (n,)
        Fold that holds each row out; -1 for rows that are in training always.
    ordered : bool
        Whether a fold is held out from those before it only, as later rows are.
    """

    fold: np.ndarray
    ordered: bool = False

    def parts(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Masks (n,) of the training rows and of the rows held out; folds without rows are none."""
        for k in range(int(self.fold.max(initial=-1)) + 1):
            held = self.fold == k
            if held.any():
                yield (self.fold < k if self.ordered else ~held), held


def group_folds(
    codes: np.ndarray,
    groups: np.ndarray,
    n_splits: int,
    seed: int | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Fold of each row, the rows of a group in one, such that every task keeps rows in training.

    Groups are dealt as `task_folds` deals rows: each among the groups of its task or, of several,
    of the one with the fewest groups. Where all groups of a task still meet in one fold, one of
    them is kept in training always.

    Parameters
    ----------
    codes, groups : int ndarray of shape (n,)
        Task and group of each row, both numbered from 0.
    n_splits, seed
        As in `task_folds`.
    labels : ndarray of shape (n,), optional
        Class of each row: groups are spread by the class that most of their rows have.

    Returns
    -------
    fold : int ndarray of shape (n,)

    Examples
    --------
    >>> group_folds(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2]), 2)
    array([ 0,  0,  1,  1, -1, -1])
    """
    groups = np.unique(groups, return_inverse=True)[1]
    n_groups, m = int(groups.max(initial=-1)) + 1, int(codes.max(initial=-1)) + 1
    pairs = np.unique(groups * m + codes)
    group, task = np.divmod(pairs, max(m, 1))
    width = np.bincount(task, minlength=m)
    order = np.lexsort((width[task], group))
    first = order[np.unique(group[order], return_index=True)[1]]
    kind = None
    if labels is not None:
        share = np.bincount(groups, labels == np.max(labels), n_groups)
        kind = share > 0.5 * np.bincount(groups, minlength=n_groups)
    fold = task_folds(task[first], n_splits, seed, labels=kind)
    alone = np.flatnonzero(fold < 0)  # the only group at home in its task
    fold[alone] = np.arange(len(alone)) % n_splits
    lowest, highest = np.full(m, n_splits), np.full(m, -1)
    np.minimum.at(lowest, task, fold[group])
    np.maximum.at(highest, task, fold[group])
    by_task = np.split(group[np.argsort(task, kind="stable")], np.cumsum(width)[:-1])
    for i in np.flatnonzero(lowest == highest):
        if (fold[by_task[i]] == fold[by_task[i][0]]).all():
            fold[by_task[i][0]] = -1
    return np.asarray(fold[groups])


def later_folds(time: np.ndarray, n_splits: int) -> np.ndarray:
    """Fold of each row in order of time: the earlier half is -1, the later one in equal parts.

    Rows of one moment are in one fold.

    Examples
    --------
    >>> later_folds(np.array([1.0, 2, 3, 4, 5, 5, 7, 8]), 2)
    array([-1, -1, -1, -1,  0,  0,  1,  1])
    """
    moments, at = np.unique(time, return_inverse=True)
    before = np.cumsum(np.bincount(at)) - np.bincount(at)  # rows that are earlier
    part = (2 * before - len(time)) * n_splits // len(time)
    if len(moments) > 1 and part.max() < 0:  # half of the rows are of the last moment
        part[-1] = 0
    kept = np.unique(part[part >= 0])
    return np.asarray(np.where(part < 0, -1, np.searchsorted(kept, part))[at])


def validation_part(
    codes: np.ndarray, group: np.ndarray | None, time: np.ndarray | None, n_splits: int
) -> np.ndarray:
    """Mask (n,) of one n_splits-th of the rows: whole groups of every task, or the latest rows."""
    if group is not None:
        return group_folds(codes, group, n_splits, 0) == 0
    assert time is not None
    fold = later_folds(time, max(1, n_splits // 2))
    return np.asarray((fold == fold.max()) & (fold >= 0))


def read_held(
    groups: Any, time: Any, X: Any, owner: str
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The group of each row as a number, or its time; None where they are not given.

    Raises
    ------
    ValueError
        If both are given, or one has no value for a row.
    """
    if groups is not None and time is not None:
        raise ValueError(
            f"{owner}: groups and time must not both be given; got both. Rows are held out by one "
            "of them: leave the other out."
        )
    return _read_groups(groups, X, owner), _read_times(time, X, owner)


def _read_groups(groups: Any, X: Any, owner: str) -> np.ndarray | None:
    """A number 0, 1, ... for the group of each row; None where none are given."""
    values = _read(groups, X, owner, "groups")
    if values is None:
        return None
    found: np.ndarray = np.unique(values.astype(str) if values.dtype == object else values,
                                  return_inverse=True)[1]  # fmt: skip
    return found.astype(np.intp)


def _read_times(time: Any, X: Any, owner: str) -> np.ndarray | None:
    """Times as numbers; None where none are given."""
    values = _read(time, X, owner, "time")
    if values is None:
        return None
    if values.dtype == object and not any(isinstance(v, str) for v in values):
        values = np.asarray(pd.to_datetime(pd.Series(values)))
    if values.dtype.kind == "M":
        return np.asarray(values.astype("datetime64[us]").astype(np.float64))
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"{owner}: time must hold numbers or dates; got text, such as {values[0]!r}. Read it "
            "as dates first (pandas.to_datetime)."
        )
    return np.asarray(values, dtype=np.float64)


def _read(values: Any, X: Any, owner: str, name: str) -> np.ndarray | None:
    if values is None:
        return None
    found = column_or_1d(np.asarray(to_array(values)))
    check_consistent_length(X, found)
    missing = int(pd.isna(found).sum())
    if missing:
        raise ValueError(
            f"{owner}: {name} must have a value for every row; got {missing} missing. Leave those "
            "rows out, or give them a value."
        )
    return found
