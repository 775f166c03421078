"""What was counted in a table, once, for every finding to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from polytask.sources.prepare import MAX_CATEGORIES
from polytask.tables.care import Rows
from polytask.tables.columns import (
    Column,
    as_feature,
    as_numbers,
    has_fractions,
    inspect_column,
)
from polytask.tables.errors import TableError, find_column
from polytask.tables.event_times import event_column, read_event_times
from polytask.tables.row_roles import held_columns, rows_to_keep, weights_of
from polytask.tables.targets import Target, read_target
from polytask.tables.task_ids import read_ids

__all__ = ["Facts", "count_facts"]


@dataclass(frozen=True, eq=False)
class Facts:
    """Counts over the rows that have a target and a task id.

    Attributes
    ----------
    table : DataFrame
        All rows.
    rows : DataFrame
        Those with a target and a task id.
    task, target : str
    ids : Series
        Task id of each of `rows`.
    id_notes : tuple of str
    found : Target or None
        The target, None where it cannot be used.
    target_problem : str
        Why it cannot.
    columns : tuple of Column
        Every candidate feature.
    X : DataFrame
        The usable ones: floats or text.
    sizes : Series
        Rows by task.
    levels : DataFrame of shape (m, d)
        Distinct values of every feature inside every task, missing ones not counted; of numbers
        with fractions 2 stands for more.
    held : tuple of str
        The column that says who a row is of, or when it was.
    asked_loss : str
        What the target is to be taken for, before the column was looked at.
    """

    table: pd.DataFrame
    rows: pd.DataFrame
    task: str
    target: str
    ids: pd.Series
    id_notes: tuple[str, ...]
    found: Target | None
    target_problem: str
    columns: tuple[Column, ...]
    X: pd.DataFrame
    sizes: pd.Series
    levels: pd.DataFrame
    held: tuple[str, ...] = ()
    asked_loss: str = "auto"
    weights: np.ndarray | None = None

    @property
    def usable(self) -> tuple[Column, ...]:
        """Columns that become features."""
        return tuple(column for column in self.columns if column.usable)

    def as_rows(self, found: Target) -> Rows:
        """The rows with a target that can be used."""
        finite = self.X.copy(deep=False)
        for name in self.X.select_dtypes("number"):
            if (endless := np.isinf(self.X[name].to_numpy())).any():
                finite[name] = self.X[name].mask(endless)
        ordered = len(found.classes) <= 2
        return Rows(
            finite, found.numbers, self.ids, self.task, self.target,
            ordered=ordered, weights=self.weights,
        )  # fmt: skip

    @property
    def width(self) -> int:
        """Number of columns that a linear model sees, after one-hot encoding."""
        one_hot = {"categorical": lambda c: min(c.distinct + (c.missing > 0), MAX_CATEGORIES)}
        return sum(int(one_hot.get(c.kind, lambda c: 1)(c)) for c in self.usable)


def count_facts(
    table: pd.DataFrame,
    task: str,
    target: str,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    kind: str = "auto",
    loss: str = "auto",
    groups: str | None = None,
    time: str | None = None,
    weights: str | None = None,
    event: str | None = None,
) -> Facts:
    """Look at a table without refusing it: only absent columns and empty roles are errors."""
    table = table.reset_index(drop=True).rename(columns=str)
    names = list(table.columns)
    task, target = find_column(task, names, "task"), find_column(target, names, "target")
    if task == target:
        raise TableError(f"must be another column than the task; got {target!r}.", "target")
    groups, time, weights = held_columns(names, task, target, groups, time, weights)
    event = event_column(names, event, (task, target, groups, time, weights), features)
    held = tuple(name for name in (groups, time) if name)
    rows, _ = rows_to_keep(table, task, target, weights=weights, event=event)
    ids, _, id_notes = read_ids(rows[task])
    found, problem = _try_target(rows, target, event, ids, kind, loss)
    if event:
        names.remove(event)
    candidates = [name for name in names if features is not None or name not in (*held, weights)]
    columns = _candidates(rows, len(table), candidates, task, target, features, categorical)
    X = _features(rows, columns)
    return Facts(
        table, rows, task, target, ids, id_notes, found, problem, columns, X,
        ids.value_counts(sort=False), _levels(X, ids), held, loss,
        None if weights is None else weights_of(rows[weights]),
    )  # fmt: skip


def _try_target(
    rows: pd.DataFrame, target: str, event: str | None, ids: pd.Series, kind: str, loss: str
) -> tuple[Target | None, str]:
    try:
        if event:
            return read_event_times(rows[target], rows[event], ids, kind, loss), ""
        return read_target(rows[target], kind, loss), ""
    except TableError as error:
        if error.argument in ("kind", "loss"):
            raise
        return None, str(error)


def _candidates(
    rows: pd.DataFrame,
    n_rows: int,
    names: list[str],
    task: str,
    target: str,
    features: Sequence[str] | None,
    categorical: Sequence[str],
) -> tuple[Column, ...]:
    labels = {find_column(name, names, "categorical") for name in categorical}
    wanted = names if features is None else [find_column(n, names, "features") for n in features]
    return tuple(
        inspect_column(rows[name], categorical=name in labels, n_rows=n_rows)
        for name in dict.fromkeys(wanted)
        if name not in (task, target)
    )


def _levels(X: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Distinct values by task; of numbers with fractions their ends tell whether there are two."""
    by_task = X.groupby(ids.to_numpy())
    found = {}
    for name in map(str, X):
        if has_fractions(X[name]):
            low, high = by_task[name].min(), by_task[name].max()
            found[name] = low.notna().astype(int) + (low < high)
        else:
            found[name] = by_task[name].nunique()
    return pd.DataFrame(found, index=by_task.size().index)


def _features(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Usable columns; infinite values stay, a finding speaks of them."""
    made = {}
    for column in columns:
        if column.kind == "numeric":
            made[column.name] = as_numbers(rows[column.name])
        elif column.usable:
            made[column.name] = as_feature(rows[column.name], column.kind)
    return pd.DataFrame(made, index=rows.index, copy=False)
