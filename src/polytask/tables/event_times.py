"""A target of two columns: the time of a row, and whether its event came then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polytask.tables.columns import as_feature, inspect_column
from polytask.tables.errors import TableError, find_column, name_list, plural
from polytask.tables.targets import Target

__all__ = ["event_column", "read_event_times"]


def event_column(
    columns: Sequence[str], event: str | None, taken: Sequence[str | None],
    features: Sequence[str] | None = None,
) -> str | None:  # fmt: skip
    """The column that says whether the event came, which must be no other's."""
    if event is None:
        return None
    found = find_column(event, columns, "event")
    if found in (*taken, *(features or ())):
        raise TableError(
            f"must be a column of its own; got {event!r}, which is the task, the target, a feature "
            "or what rows are held out by. The target is the time, the event 1 or 0.",
            "event",
        )
    return found


def read_event_times(
    time: pd.Series, event: pd.Series, ids: pd.Series, kind: str = "auto", loss: str = "auto"
) -> Target:
    """Times to an event, of rows that have both.

    Parameters
    ----------
    time : Series
        Positive numbers.
    event : Series
        1 or true where the event came at that time, 0 or false where the row was censored.
    ids : Series
        Tasks, each of which must have an event.
    kind, loss : str
        What else was asked for, which must be nothing.

    Raises
    ------
    TableError
        Naming the row, counted from 1.

    Examples
    --------
    >>> time, event = pd.Series([2.0, 3.0], name="days"), pd.Series([1, 0], name="died")
    >>> read_event_times(time, event, pd.Series([1, 1], name="ward")).kind
    'survival'
    """
    for argument, asked in (("kind", kind), ("loss", loss)):
        if asked != "auto":
            raise TableError(
                f"must be left out with --event, which makes the target a time to an event; got "
                f"{asked!r}.", argument,
            )  # fmt: skip
    lasted = _numbers(time, "target", "times").to_numpy()
    _refuse(
        time, ~(lasted > 0), "target", "hold positive times with --event",
        "An event that came at once belongs at a small time; a row that was never seen is left "
        "out.",
    )  # fmt: skip
    came = _numbers(event, "event", "1 and 0, or true and false").to_numpy()
    _refuse(
        event, ~np.isin(came, (0.0, 1.0)), "event", "hold 1 (the event came) and 0 (censored)",
        "Where 2 is the event and 1 is not, subtract one.",
    )  # fmt: skip
    _some_in_every_task(event, came == 1.0, ids)
    y = pd.DataFrame({str(time.name): lasted, str(event.name): came}, index=time.index)
    told = (
        f"The target {str(time.name)!r} is the time to an event, which came in "
        f"{plural(int(came.sum()), 'row')} ({came.mean():.1%}, {str(event.name)!r}); the others "
        "are censored at their time.",
    )
    return Target(y, "survival", (), told, "cox")


def _numbers(values: pd.Series, argument: str, what: str) -> pd.Series:
    found = inspect_column(values)
    if found.kind in ("numeric", "boolean", "id"):
        return as_feature(values, "numeric")
    problem = found.problem or f"holds text, such as {str(values.iloc[0])!r}"
    raise TableError(
        f"must hold {what}; {str(values.name)!r} {problem} (row {values.index[0] + 1} of the "
        "table, its first is 1).",
        argument,
    )


def _refuse(values: pd.Series, bad: np.ndarray, argument: str, rule: str, remedy: str) -> None:
    if bad.any():
        row = values.index[np.flatnonzero(bad)[0]]
        raise TableError(
            f"must {rule}; {str(values.name)!r} is {values[row]!s} in row {row + 1} of the table "
            f"(its first is 1). {remedy}",
            argument,
        )


def _some_in_every_task(event: pd.Series, came: np.ndarray, ids: pd.Series) -> None:
    some = pd.Series(came).groupby(ids.to_numpy()).any()
    none = some.index[~some].tolist()
    if not none:
        return
    first = ids.index[ids.isin(none)][0]
    raise TableError(
        f"must have come in every task; all rows are censored in {plural(len(none), 'task')} "
        f"({name_list(none, 4)}; the first is row {first + 1} of the table). Leave these rows out, "
        "or join such tasks with others.",
        "event",
    )
