"""Which rows are used: who they are of, when they were, how much they count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polytask.data.weights import check_weights
from polytask.tables.columns import as_feature, filled, is_blank
from polytask.tables.errors import TableError, find_column, plural

__all__ = ["held_columns", "rows_to_keep", "weights_of"]


def weights_of(values: pd.Series) -> np.ndarray:
    """Weights (n,) out of a column of numbers.

    Raises
    ------
    TableError
        If a row has none, or one that is negative or no number, or all are zero.

    Examples
    --------
    >>> weights_of(pd.Series([1, 0, 2.5], name="w"))
    array([1. , 0. , 2.5])
    """
    name, missing = str(values.name), int(is_blank(values).sum())
    if missing:
        raise TableError(
            f"must have a value in every row; {name!r} has none in {plural(missing, 'row')}. Give "
            "zero to rows that are not to count.",
            "weights",
        )
    try:
        found = as_feature(values, "numeric").to_numpy(dtype=float)
    except TableError as error:
        raise TableError(f"must hold numbers. {error}", "weights") from error
    if (found < 0).any():
        first = values[found < 0]
        raise TableError(
            f"must be zero or positive; {name!r} is {first.iloc[0]} in row {first.index[0] + 1}.",
            "weights",
        )
    try:
        check_weights(found)
    except ValueError as error:
        raise TableError(f"must hold weights. {error}", "weights") from error
    if not found.any():
        raise TableError(f"must be positive somewhere; {name!r} is zero in every row.", "weights")
    return found


def held_columns(
    columns: list[str], task: str, target: str, groups: str | None, time: str | None,
    weights: str | None,
) -> tuple[str | None, str | None, str | None]:  # fmt: skip
    """The columns that say who, when and how much, found in the table."""
    if groups is not None and time is not None:
        raise TableError("must be left out where --groups is given: rows are held out by one.",
                         "time")  # fmt: skip
    found: dict[str, str | None] = {"groups": None, "time": None, "weights": None}
    for argument, name in (("groups", groups), ("time", time), ("weights", weights)):
        if name is None:
            continue
        found[argument] = find_column(name, columns, argument)
        if found[argument] in (task, target):
            role = "task" if found[argument] == task else "target"
            raise TableError(
                f"must be another column than the {role}; got {name!r} for both.", argument
            )
    return found["groups"], found["time"], found["weights"]


def rows_to_keep(
    table: pd.DataFrame, task: str, target: str, further: Sequence[str] = (),
    *, weights: str | None = None, event: str | None = None,
) -> tuple[pd.DataFrame, tuple[str, ...]]:  # fmt: skip
    """Rows that have a task, a target, what says of its event, and a weight above zero.

    In a target of text, and among ids that are numbers, NA is a gap like an empty cell.
    """
    notes = []
    if weights is not None:
        weighs = weights_of(table[weights]) > 0
        if not weighs.all():
            count = plural(int((~weighs).sum()), "row")
            notes.append(f"{count} of weight zero ({weights!r}) left out.")
        table = table[weighs]
    targets = {target: "target"} | ({event: "event"} if event else {})
    there = {name: filled(table[name], words=True).index for name in targets}
    there |= {name: filled(table[name]).index for name in (task, *further)}
    for name, role in (*targets.items(), *((name, "task id") for name in (task, *further))):
        missing = len(table) - len(there[name])
        if missing == len(table):
            raise TableError(f"must hold values; {name!r} is empty in every row.", role.split()[0])
        if missing:
            share, article = missing / len(table), "an" if role == "event" else "a"
            rows_in_words = f"{plural(missing, 'row')} ({share:.1%})"
            notes.append(f"{rows_in_words} without {article} {role} ({name!r}) left out.")
    rows = table  # a copy of a large table is not for nothing
    if notes:
        kept = there[target]
        for name in list(there)[1:]:
            kept = kept.intersection(there[name], sort=None)
        rows = table.loc[kept]
    if rows.empty:
        raise TableError(f"must hold a value where {target!r} does; {task!r} never does.", "task")
    return rows, tuple(notes)
