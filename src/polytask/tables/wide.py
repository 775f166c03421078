"""Several targets, each of them a task: the long table of their values."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from polytask.tables.columns import filled, inspect_column
from polytask.tables.errors import TableError, find_column, name_list
from polytask.tables.targets import read_target

__all__ = ["TASK", "VALUE", "melt_targets"]

TASK, VALUE = "target", "value"


def melt_targets(
    table: pd.DataFrame,
    targets: Sequence[str],
    *,
    asked: bool = False,
    kind: str = "auto",
    keep: Sequence[str] = (),
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table once for every target, below each other, with the columns "target" and "value".

    Row k is of row k mod n of the table. Columns that count its rows are left out unless
    features were ``asked`` for, or they are among those to ``keep``.

    Raises
    ------
    TableError
        If a target is absent, or they are not all numbers, or not all of the same two classes.
    """
    names = list(table.columns)
    targets = [find_column(name, names, "target") for name in targets]
    for name in (TASK, VALUE):
        if name in names and name not in targets:
            raise TableError(
                f"must have no column {name!r} where several targets are the tasks; rename it.",
                "TABLE",
            )
    _check_alike(table, targets, kind)
    features = table.drop(columns=targets)
    found = [] if asked else [inspect_column(features[name]) for name in features]
    left = [c for c in found if c.kind == "id" and c.name not in keep]
    features = features.drop(columns=[c.name for c in left])
    values = pd.concat([table[name] for name in targets], ignore_index=True)
    long = pd.concat([features] * len(targets), ignore_index=True)
    ids = [name for name in targets for _ in range(len(table))]
    told = (
        f"Each of the targets {name_list(targets)} is a task, and {VALUE!r} its values: a row of "
        "the table is a row of every task that it has a value for, and all its values stay in one "
        "fold."
    )
    notes = (f"Column {c.name!r} was left out: it {c.problem} ({c.remedy})." for c in left)
    long[TASK], long[VALUE] = ids, values
    return long, (told, *notes)


def _check_alike(table: pd.DataFrame, targets: Sequence[str], kind: str) -> None:
    found = {name: read_target(filled(table[name], words=True), kind) for name in targets}
    first, *others = targets
    for name in others:
        if found[name].kind != found[first].kind:
            raise TableError(
                f"must name targets of one kind; {first!r} makes a {found[first].kind}, {name!r} a "
                f"{found[name].kind}. Compare them apart, or say --kind regression.",
                "target",
            )
        if found[name].classes != found[first].classes:
            raise TableError(
                f"must name targets with the same values; {first!r} has "
                f"{name_list(found[first].classes)}, {name!r} {name_list(found[name].classes)}. "
                "Write them alike.",
                "target",
            )
