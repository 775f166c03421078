"""What the arguments about the table stand for."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from polytask.tables import TaskTable

__all__ = ["read_frame", "read_task_table", "split_names"]


def split_names(lists: Sequence[str] | None, columns: Sequence[str] = ()) -> tuple[str, ...] | None:
    """Names out of comma-separated lists; quotes protect a comma, and so does being a column.

    Examples
    --------
    >>> split_names(['a,"b,c"', "d,e"], columns=["a", "b,c", "d,e"])
    ('a', 'b,c', 'd,e')
    """
    if lists is None:
        return None
    names: list[str] = []
    for text in lists:
        if text in columns:
            names.append(text)
        else:
            names += next(iter(csv.reader([text], skipinitialspace=True)), [])
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def read_frame(args: argparse.Namespace) -> tuple[pd.DataFrame, dict[str, object], tuple[str, ...]]:
    """The table, the choices about its columns, and what was assumed in reading."""
    from polytask.tables import TableError, read_table

    asked = {args.task, *(split_names(args.categorical) or ()), *(args.categorical or ())}
    table, notes = read_table(args.table, as_text=lambda name: name in asked)
    columns = [str(name) for name in table.columns]
    features = split_names(args.features, columns)
    if features == ():
        raise TableError("must name at least one column; got an empty list.", "features")
    choices = {
        "features": features,
        "categorical": split_names(args.categorical, columns) or (),
        "kind": args.kind,
    }
    return table, choices, notes


def read_task_table(args: argparse.Namespace) -> TaskTable:
    """The table made ready for models; what was assumed in reading comes first in its notes."""
    from dataclasses import replace

    from polytask.tables import make_task_table

    table, choices, notes = read_frame(args)
    ready = make_task_table(table, args.task, args.target, **choices)  # type: ignore[arg-type]
    return replace(ready, notes=(*notes, *ready.notes))
