"""Which column may be the task, which the target: guesses for who has only a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polytask.tables.columns import Column, as_feature, inspect_column
from polytask.tables.errors import TableError, find_column, plural
from polytask.tables.leaks import how_it_fixes
from polytask.tables.row_counters import FEW_LEVELS
from polytask.tables.targets import read_target

__all__ = ["Suggestion", "TaskCandidate", "suggest"]

FEW_ROWS = 3  # of the median task
# Words in names of columns; of targets the most telling first.
TARGETS = (
    "target", "y", "outcome", "label", "response", "score", "result", "sales", "revenue", "price",
    "yield", "default", "churn", "readmitted", "survived", "died", "death", "disease", "grade",
    "rating", "value", "output",
)  # fmt: skip
GROUPS = (
    "task", "school", "class", "teacher", "student", "pupil", "hospital", "clinic", "ward",
    "doctor", "patient", "subject", "person", "user", "customer", "store", "shop", "product",
    "site", "center", "centre", "region", "district", "county", "country", "state", "village",
    "farm", "plant", "machine", "device", "sensor", "assay", "lab", "team", "group", "batch",
    "cluster", "id", "code", "key",
)  # fmt: skip


@dataclass(frozen=True)
class TaskCandidate:
    """A column whose values repeat, so that it may say which rows belong together.

    Attributes
    ----------
    name : str
    levels : int
    rows_min, rows_median : int
        Rows of a level.
    share : float
        Share of the target's variance that lies between levels, beyond chance (omega squared).
    concern : str
        Why it is probably not the task, "" if it may well be.
    is_flag : bool
        Whether it holds a few numbers, such as 0 and 1, which is never taken for the task unasked.
    """

    name: str
    levels: int
    rows_min: int
    rows_median: int
    share: float
    concern: str
    is_flag: bool = False


@dataclass(frozen=True)
class Suggestion:
    """What to do with a table, with the reasons.

    Attributes
    ----------
    task : str or None
        The column that looks most like the task; None where none does.
    target, kind : str
        A column, and "regression" or "classification".
    target_reason : str
        Why this column.
    other_targets : tuple of str
    tasks : tuple of TaskCandidate
        The best first; may be empty.
    left_out : tuple of (str, str)
        Columns to leave out, and why.
    features : tuple of str or None
        What ``--features`` has to name; None where nothing but what is left out by itself.
    """

    task: str | None
    target: str
    kind: str
    target_reason: str
    other_targets: tuple[str, ...]
    tasks: tuple[TaskCandidate, ...]
    left_out: tuple[tuple[str, str], ...]
    features: tuple[str, ...] | None


def suggest(table: pd.DataFrame, task: str | None = None, target: str | None = None) -> Suggestion:
    """Guess the task and the target of a table, or only what is not given.

    A target is a column that is called like one, else the first with fractions, else the last that
    can be one. A task is a column whose values repeat; those with a telling name or with text come
    first, then the one between whose levels the target varies most.

    Raises
    ------
    TableError
        If a given column is absent, or no column can be a target.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"shop": list("aabbccddee") * 3, "area": [0.5, 1] * 15, "sales": [7, 3, 9] * 10}
    >>> found = suggest(pd.DataFrame(rows))
    >>> found.task, found.target
    ('shop', 'sales')
    """
    table = table.reset_index(drop=True).rename(columns=str)
    names = list(table.columns)
    task = task if task is None else find_column(task, names, "task")
    columns = {name: inspect_column(table[name]) for name in names}
    possible = [n for n in names if n != task and _can_be_target(table[n], columns[n])]
    target, reason = _choose_target(table, possible, target)
    rows = table[table[target].notna()]
    read = read_target(rows[target])
    kind, y = read.kind, read.numbers
    wanted = [task] if task else [n for n in names if n != target]
    found = [t for t in (_candidate(rows[n], columns[n], y) for n in wanted) if t is not None]
    found.sort(key=lambda t: _rank(t, columns[t.name]))
    task = task or next((t.name for t in found if not t.is_flag), None)
    features, left_out = _sort_out(rows, columns, task, target, y)
    others = tuple(name for name in possible if name not in (target, task))
    return Suggestion(task, target, kind, reason, others, tuple(found), left_out, features)


def _words(name: str) -> list[str]:
    return [w.lower() for w in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", name)]


def _can_be_target(values: pd.Series, column: Column) -> bool:
    if column.kind not in ("numeric", "boolean", "categorical") or column.distinct < 2:
        return False
    if _named(column.name, GROUPS):
        return False
    return column.distinct == 2 or column.kind == "numeric"


def _choose_target(
    table: pd.DataFrame, possible: Sequence[str], given: str | None
) -> tuple[str, str]:
    if given is not None:
        return find_column(given, list(table.columns), "target"), "as you said"
    called = [(TARGETS.index(w), n) for n in possible for w in _words(n) if w in TARGETS]
    if called:
        return min(called)[1], "by its name"
    fractions = [n for n in possible if _has_fractions(table[n])]
    if fractions:
        return fractions[0], "the first column with fractions"
    if not possible:
        raise TableError(
            "must hold a column to predict: numbers, or two distinct values; no column does.",
            "target",
        )
    return possible[-1], "the last column that can be one"


def _named(name: str, words: Sequence[str]) -> bool:
    return any(w in words or w.rstrip("s") in words for w in _words(name))


def _has_fractions(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    return bool((numbers % 1 != 0).any())


def _candidate(values: pd.Series, column: Column, y: np.ndarray) -> TaskCandidate | None:
    """The column as a task, None where it is a measurement or every row has its own value."""
    sizes = values.value_counts()
    measured = column.kind == "numeric" and _has_fractions(values)
    if measured or not 2 <= len(sizes) < len(values) or column.kind in ("date", "nested"):
        return None
    median = int(sizes.median())
    concern = ""
    if median < FEW_ROWS:
        concern = f"most of its values have fewer than {FEW_ROWS} rows"
    elif len(sizes) < FEW_LEVELS:
        concern = f"{len(sizes)} values are few: rather a feature"
    elif column.kind == "numeric" and not _named(column.name, GROUPS):
        concern = "whole numbers: a measurement?"
    share = _share_between(values, y)
    flag = len(sizes) < FEW_LEVELS and column.kind != "categorical"
    return TaskCandidate(column.name, len(sizes), int(sizes.min()), median, share, concern, flag)


def _share_between(values: pd.Series, y: np.ndarray) -> float:
    """Omega squared, at least 0: what levels explain beyond what as many random ones would."""
    groups = pd.Series(y, index=values.index).groupby(values.to_numpy())
    known = values.notna().to_numpy()
    n, m = int(known.sum()), groups.ngroups
    total = float(((y[known] - y[known].mean()) ** 2).sum())
    between = float((groups.size() * (groups.mean() - y[known].mean()) ** 2).sum())
    noise = (total - between) / max(n - m, 1)
    return max(0.0, (between - (m - 1) * noise) / (total + noise)) if total > 0 else 0.0


def _rank(task: TaskCandidate, column: Column) -> tuple[Any, ...]:
    telling = _named(task.name, GROUPS)
    few = [task.rows_median < FEW_ROWS, task.levels < FEW_LEVELS]
    words = [_words(task.name) != ["task"], not telling]
    number = column.kind != "categorical"
    return (*few, bool(task.concern), *words, task.is_flag, -round(task.share, 6), number)


def _sort_out(
    rows: pd.DataFrame, columns: dict[str, Column], task: str | None, target: str, y: np.ndarray
) -> tuple[tuple[str, ...] | None, tuple[tuple[str, str], ...]]:
    """Names for ``--features`` where a column has to be kept out by hand; columns left out."""
    features, left_out, by_hand = [], [], False
    for name, column in columns.items():
        if name in (task, target):
            continue
        problem = _gives_away(rows, column, task, target, y)
        if problem or not column.usable:
            left_out.append((name, problem or f"it {column.problem}"))
            by_hand |= bool(problem) or column.kind == "mixed"
        else:
            features.append(name)
    return tuple(features) if by_hand else None, tuple(left_out)


def _gives_away(
    rows: pd.DataFrame, column: Column, task: str | None, target: str, y: np.ndarray
) -> str:
    """Why a usable column must not be learned from, "" where it may."""
    if not column.usable:
        return ""
    values = rows[column.name]
    known = values.notna()
    by = rows[task].to_numpy() if task is not None else np.zeros(len(y))
    if how := how_it_fixes(as_feature(values, column.kind), y, by):
        return f"it gives the target {target!r} away ({how})"
    if column.kind == "numeric" and _has_fractions(values):
        return ""
    if task is not None and column.distinct == rows[task].nunique() > 2:
        pairs = rows.loc[known, [column.name, task]].drop_duplicates()
        if len(pairs) == column.distinct:
            return f"it says the same as the task {task!r} ({plural(column.distinct, 'value')})"
    return ""
