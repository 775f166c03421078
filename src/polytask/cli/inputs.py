"""What the arguments about the table stand for."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polytask.tables import TaskTable
    from polytask.tables.reading import Reading
    from polytask.tables.text_values import Conventions

__all__ = ["conventions", "read_frame", "read_task_table", "split_names"]


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


def conventions(args: argparse.Namespace, missing: Sequence[str] = ()) -> Conventions:
    """How the table is written, as far as the arguments (or a saved model) say."""
    from polytask.tables.text_values import Conventions

    marks = split_names(args.missing) or ()
    return Conventions((*missing, *marks), args.decimal or "")


def read_frame(args: argparse.Namespace) -> tuple[Reading, dict[str, object]]:
    """The table as read, and the choices about its columns."""
    from polytask.tables import TableError
    from polytask.tables.reading import read_whole

    asked = {args.task, *(split_names(args.categorical) or ()), *(args.categorical or ())}
    found = read_whole(args.table, as_text=lambda name: name in asked, given=conventions(args))
    columns = [str(name) for name in found.table.columns]
    features = split_names(args.features, columns)
    if features == ():
        raise TableError("must name at least one column; got an empty list.", "features")
    choices = {
        "features": features,
        "categorical": split_names(args.categorical, columns) or (),
        "kind": args.kind,
    }
    return found, choices


def read_task_table(args: argparse.Namespace) -> TaskTable:
    """The table made ready for models; what was assumed in reading comes first in its notes."""
    from dataclasses import replace

    from polytask.tables import make_task_table

    found, choices = read_frame(args)
    ready = make_task_table(
        found.table,
        args.task,
        args.target,
        units=found.units,
        **choices,  # type: ignore[arg-type]
    )
    return replace(ready, notes=(*found.notes, *ready.notes))
