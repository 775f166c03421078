"""Rows that are not independent: those of one person, and rows in time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from polytask.data.order import stable_order
from polytask.tables.columns import (
    as_feature,
    filled,
    has_fractions,
    inspect_column,
    is_blank,
)
from polytask.tables.errors import TableError, plural
from polytask.tables.finding import Finding

__all__ = ["dependent_rows", "groups_of", "times_of"]

_MOST_ROWS, _MOST_FEATURES = 20_000, 50  # that are looked at
_LEAST_GROUPS = 10
_ALIKE = 0.25  # share of a feature's variance inside tasks that is left inside groups
_SAME_TARGET = 0.5  # the same of the target, where a name says that it is of an id
_TWINS = 0.5  # share of the rows whose measurements another row of the task repeats
_CHANCE = 0.05  # rows of a task that would repeat one by chance
_IN_ORDER = 0.95  # share of the steps from row to row that do not go back
_POINTED = re.compile(r"[0-9]{1,2}\. ?[0-9]{1,2}\.")
_ID = re.compile(
    r"id|(.*[ _.-])?(id|nr|no|num|number|code|key)|.*[a-z](Id|ID)|"
    r"(.*[ _.-])?(patient|subject|person|participant|user|customer|client|animal|plant|household|"
    r"family|video|session|batch|device)s?",
    re.IGNORECASE,
)


def dependent_rows(
    rows: pd.DataFrame, X: pd.DataFrame, y: np.ndarray, ids: pd.Series, task: str, target: str
) -> Iterator[Finding]:
    """A warning where rows look like those of a few people, or like rows in time.

    Parameters
    ----------
    rows : DataFrame
        As read, with every column.
    X : DataFrame
        The features.
    y, ids
        Target as numbers and task of each row.
    task, target : str
    """
    others = [name for name in rows.columns if name not in (task, target)]
    yield from _groups(rows[others], X, y, ids)
    yield from _times(rows[others], ids)


def groups_of(values: pd.Series) -> np.ndarray:
    """Who each row is of, as text.

    Raises
    ------
    TableError
        If a row has no value, or every row one of its own.
    """
    missing = int(is_blank(values).sum())
    if missing:
        raise TableError(
            f"must have a value in every row; {str(values.name)!r} has none in "
            f"{plural(missing, 'row')}. Fill them, or leave those rows out.",
            "groups",
        )
    found: np.ndarray = as_feature(values, "categorical").to_numpy(dtype=str)
    if len(np.unique(found)) == len(found):
        raise TableError(
            f"must name a column whose values repeat; in {str(values.name)!r} every row has a "
            "value of its own. Leave it out: the rows are independent then.",
            "groups",
        )
    return found


def times_of(values: pd.Series) -> np.ndarray:
    """When each row was, as numbers.

    Raises
    ------
    TableError
        If a row has no time, or the values are neither numbers nor dates.
    """
    name, missing = str(values.name), int(is_blank(values).sum())
    if missing:
        raise TableError(
            f"must have a value in every row; {name!r} has none in {plural(missing, 'row')}. Fill "
            "them, or leave those rows out.",
            "time",
        )
    kind = inspect_column(values).kind
    if kind == "date":
        return _dates(values)
    try:
        return as_feature(values, "numeric").to_numpy(dtype=float)
    except TableError as error:
        raise TableError(
            f"must hold numbers or dates; {name!r} holds {str(values.iloc[0])!r} in row "
            f"{values.index[0] + 1}. Write dates as 2024-03-31.",
            "time",
        ) from error


def _dates(values: pd.Series) -> np.ndarray:
    stamps = values if values.dtype.kind == "M" else _stamps(values.astype(str))
    stamps = pd.to_datetime(stamps, errors="coerce", utc=True)
    if stamps.isna().any():
        first = values[stamps.isna()]
        raise TableError(
            f"must hold dates that can be put in order; {str(values.name)!r} holds "
            f"{str(first.iloc[0])!r} in row {first.index[0] + 1}. Write dates as 2024-03-31.",
            "time",
        )
    return np.asarray(stamps.astype("datetime64[us, UTC]").astype("int64"), dtype=float)


def _stamps(values: pd.Series) -> pd.Series:
    """Dates of text, by one reading for all where there is one: 05.06. is in June where 13.06. is.

    With points the day is first. NaT where text is no date.
    """
    text = values.str.strip().str.removesuffix(".0")
    pointed = bool(text.str.match(_POINTED).all())
    ways: list[dict[str, Any]] = [
        {"dayfirst": pointed}, {"dayfirst": not pointed}, {"format": "mixed", "dayfirst": pointed}
    ]  # fmt: skip
    for way in ways:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a format that is tried
            stamps = pd.to_datetime(text, errors="coerce", utc=True, **way)
        if not stamps.isna().any():
            break
    return stamps


def _groups(
    rows: pd.DataFrame, X: pd.DataFrame, y: np.ndarray, ids: pd.Series
) -> Iterator[Finding]:
    at = stable_order(pd.factorize(ids)[0])[:_MOST_ROWS]  # whole tasks
    code = pd.factorize(ids.iloc[at])[0]
    Z = X.select_dtypes("number").iloc[at, :_MOST_FEATURES].replace([np.inf, -np.inf], np.nan)
    values = np.column_stack([Z.fillna(Z.mean()).to_numpy(dtype=float), y[at]])
    inside = _spread(values, code)
    varies = np.isfinite(inside) & (inside > 1e-9 * values.var(axis=0))
    for name in sorted(rows, key=lambda name: not _ID.fullmatch(str(name))):
        column = rows[name].iloc[at]
        group = _numbered(column)
        if group is None:
            continue
        pair = pd.factorize(code * (group.max() + 1) + group)[0]
        n_groups = pair.max() + 1
        if n_groups < max(_LEAST_GROUPS, 2 * (code.max() + 1)) or n_groups > len(pair) / 1.5:
            continue
        left = _spread(values, pair) / np.where(varies, inside, 1.0)
        other = varies[:-1] & (Z.columns != name)
        alike = other.sum() >= 2 and np.median(left[:-1][other]) < _ALIKE
        named = bool(_ID.fullmatch(str(name))) and varies[-1] and left[-1] < _SAME_TARGET
        if alike or named:
            yield Finding(
                "warning",
                f"Rows with one {str(name)!r} are much alike ({n_groups:,} of them in "
                f"{len(pair):,} rows): random folds test on those that were in training, so scores "
                "and strengths are not those for new ones.",
                f"If new ones are what counts, say --groups {name} (groups= in Python).",
            )
            return
    yield from _twins(Z, code)


def _numbered(values: pd.Series) -> np.ndarray | None:
    """A number for each distinct value; None for a column that names nobody, or not everybody."""
    if has_fractions(values):
        return None
    try:
        found: np.ndarray = pd.factorize(values)[0]
    except TypeError:  # lists and the like
        return None
    return None if (found < 0).any() else found


def _twins(Z: pd.DataFrame, code: np.ndarray) -> Iterator[Finding]:
    """Rows of a task with the same measurements, where that would hardly be chance."""
    by_task = Z.groupby(code).nunique()
    fine = [name for name in Z if has_fractions(Z[name]) and by_task[name].mean() > 2]
    if len(fine) < 2:
        return
    chance = np.prod([(Z[name].value_counts(normalize=True) ** 2).sum() for name in fine])
    repeated = Z[fine].assign(**{"\0task": code}).duplicated(keep=False).mean()
    if repeated > _TWINS and np.bincount(code).max() * chance < _CHANCE:
        yield Finding(
            "warning",
            f"{repeated:.0%} of the rows have the measurements of another row of their task, "
            "as where several are of one person: random folds test on those that were in training.",
            "Add a column that says who a row is of, and name it in --groups (groups= in Python).",
        )


def _spread(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Variance of each column inside groups, the loss of their means made good."""
    size = np.bincount(code)
    total = np.zeros(values.shape[1])
    for j, column in enumerate(values.T):
        mean = np.bincount(code, column) / size
        total[j] = np.sum((column - mean[code]) ** 2)
    return total / max(len(code) - len(size), 1)


def _times(rows: pd.DataFrame, ids: pd.Series) -> Iterator[Finding]:
    """A column of dates whose order the rows follow, in the table or inside tasks."""
    for name in rows:
        if has_fractions(rows[name]):
            continue
        known = filled(rows[name])
        if len(known) < len(rows) or inspect_column(known).kind != "date":
            continue
        try:
            time = pd.Series(_dates(known))
        except TableError:
            continue
        steps = time.groupby(ids.to_numpy()).diff().dropna()
        moves = steps[steps != 0]
        if time.nunique() >= _LEAST_GROUPS and len(moves) and (moves > 0).mean() > _IN_ORDER:
            yield Finding(
                "warning",
                f"The rows of a task follow {str(name)!r}: random folds test on rows between "
                "training rows, so scores and strengths are not those for later ones.",
                f"If later rows are what counts, say --time {name}.",
            )
            return
