"""What the arguments about the table stand for."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from polytask.tables import TaskTable
    from polytask.tables.reading import Reading
    from polytask.tables.text_values import Conventions

__all__ = [
    "Frame",
    "conventions",
    "groupings_of",
    "read_frame",
    "read_task_table",
    "several_targets",
    "split_names",
    "varying_names",
    "wanted_models",
]


def wanted_models(args: argparse.Namespace) -> tuple[str, ...] | None:
    """What --models names; None for the defaults."""
    from polytask.tables.errors import TableError

    if args.models is not None and args.fast:
        raise TableError("must be left out where --models says what is compared.", "fast")
    return None if args.models is None else split_names([args.models])


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
            names += _fields(text)
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _fields(text: str) -> list[str]:
    from polytask.tables.errors import TableError

    try:
        return next(iter(csv.reader([text], skipinitialspace=True, strict=True)), [])
    except csv.Error as error:
        raise TableError(
            f"names must stand on one line with commas between them; got {text!r}. A name with a "
            "comma or a quote stands in double quotes, or alone in an option of its own."
        ) from error


def conventions(args: argparse.Namespace, missing: Sequence[str] = ()) -> Conventions:
    """How the table is written, as far as the arguments (or a saved model) say."""
    from polytask.tables.text_values import Conventions

    marks = split_names(args.missing) or ()
    return Conventions((*missing, *marks), args.decimal or "")


@dataclass(frozen=True)
class Frame:
    """A table as read, and what the arguments say about its columns.

    Attributes
    ----------
    reading : Reading
    task, target : str
    targets : tuple of str
        Those of which each is a task, () where a column holds the tasks.
    n_rows : int
        Rows of the file.
    choices : dict
        Further arguments of `make_task_table` and `describe_table`.
    groupings : tuple of tuple of str
        The columns of every grouping, where --task names several.
    """

    reading: Reading
    task: str
    target: str
    targets: tuple[str, ...]
    n_rows: int
    choices: dict[str, Any]
    groupings: tuple[tuple[str, ...], ...] = ()


def read_frame(args: argparse.Namespace) -> Frame:
    """The table as read, and the choices about its columns."""
    from polytask.tables import TableError
    from polytask.tables.reading import read_whole

    asked = {
        args.groups,
        *_every_name(args.task),
        *(split_names(args.categorical) or ()),
        *(args.categorical or ()),
    }
    found = read_whole(args.table, as_text=lambda name: name in asked, given=conventions(args))
    columns = [str(name) for name in found.table.columns]
    features = split_names(args.features, columns)
    if features == ():
        raise TableError("must name at least one column; got an empty list.", "features")
    choices = {
        "features": features,
        "categorical": split_names(args.categorical, columns) or (),
        "kind": args.kind,
        "loss": args.loss,
        "groups": args.groups,
        "time": args.time,
        "weights": args.weights,
        "event": args.event,
    }
    n_rows = len(found.table)
    if args.levels is not None:
        found = replace(found, table=_in_order(found.table, args, columns))
    if args.task is not None:
        _check_one_target(args.target, columns)
        task, groupings = groupings_of(args.task, columns)
        return Frame(found, task, args.target, (), n_rows, choices, groupings)
    if args.event is not None:
        raise TableError("must be given with --event, which is for a table with a task column.",
                         "task")  # fmt: skip
    return _melted(found, several_targets(args, columns), n_rows, choices)


def _in_order(
    table: pd.DataFrame, args: argparse.Namespace, columns: Sequence[str]
) -> pd.DataFrame:
    """The table with its targets as ordered levels, as --levels says."""
    import pandas as pd

    from polytask.tables import TableError
    from polytask.tables.columns import as_labels
    from polytask.tables.errors import find_column, name_list

    levels = split_names([args.levels]) or ()
    if len(levels) < 2:
        raise TableError(f"must name two levels or more; got {args.levels!r}.", "levels")
    targets = [args.target] if args.task is not None else several_targets(args, columns)
    made = {}
    for target in targets:
        name = find_column(target, list(columns), "target")
        labels = as_labels(table[name])
        strange = labels[labels.notna() & ~labels.isin(levels)]
        if len(strange):
            raise TableError(
                f"must name every level of {name!r}; got {name_list(levels)}, and row "
                f"{strange.index[0] + 1} of the table (its first is 1) holds {strange.iloc[0]!r}.",
                "levels",
            )
        made[name] = pd.Categorical(labels, categories=levels, ordered=True)
    return table.assign(**made)


def _check_one_target(target: str, columns: Sequence[str]) -> None:
    """Refuse several targets beside a task column: either says what the tasks are."""
    from polytask.tables.errors import TableError, name_list

    named = split_names([target], columns) or ()
    if len(named) > 1 and all(name in columns for name in named):
        raise TableError(
            f"must name one column where --task is given; got {name_list(named)}. To take each of "
            "these targets as a task, leave --task out.",
            "target",
        )


def _every_name(task: str | None) -> set[str]:
    """All that --task may name as a column, whatever the columns are."""
    if task is None:
        return set()
    parts = {part.strip() for part in task.replace(",", "/").split("/")}
    return {task, *(split_names([task]) or ()), *parts}


def groupings_of(task: str, columns: Sequence[str]) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The task column, and all groupings where --task names several: a,b or a/b."""
    from polytask.data.task_spec import spelled_out
    from polytask.tables.errors import find_column

    if task in columns:
        return task, ()
    found = spelled_out(list(split_names([task]) or ()), columns)
    named = tuple(tuple(find_column(str(c), list(columns), "task") for c in g) for g in found)
    return (named[0][0], named) if len(named) > 1 else (named[0][0] if named else task, ())


def varying_names(args: argparse.Namespace) -> tuple[str, ...] | None:
    """Features whose coefficients may vary; () for "none", None where nothing is asked."""
    names = split_names(None if args.varying is None else [args.varying])
    return () if names == ("none",) else names


def several_targets(args: argparse.Namespace, columns: Sequence[str] = ()) -> tuple[str, ...]:
    """The targets that are the tasks; an error where there is one and no task column."""
    from polytask.tables import TableError

    targets = split_names([args.target], columns) or ()
    if len(targets) < 2:
        raise TableError(
            "must name the column that says which task a row belongs to; got none. Or name several "
            "targets, each of them a task: --target y1,y2,y3.",
            "task",
        )
    return targets


def _melted(
    found: Reading, targets: tuple[str, ...], n_rows: int, choices: dict[str, Any]
) -> Frame:
    from polytask.tables.wide import TASK, VALUE, melt_targets

    long, told = melt_targets(
        found.table, targets, asked=choices["features"] is not None, kind=choices["kind"],
        keep=[choices[held] for held in ("groups", "time", "weights") if choices[held]],
    )  # fmt: skip
    reading = replace(found, table=long, notes=(*found.notes, *told))
    return Frame(reading, TASK, VALUE, targets, n_rows, choices)


def read_task_table(args: argparse.Namespace) -> TaskTable:
    """The table made ready for models; what was assumed in reading comes first in its notes.

    Rows of a task stand together in a large one.
    """
    from polytask.data.memory import MANY_CELLS, give_back, keep_arrays_apart
    from polytask.tables import make_task_table

    frame = read_frame(args)
    choices, around = dict(frame.choices), (args.transform, args.scale_target)
    if args.quantiles:
        _check_quantiles(args)
        choices["loss"] = "quantile"
    elif any(around) and choices["loss"] == "auto" and choices["event"] is None:
        choices["loss"] = "squared"  # of what is made of the target
    ready = make_task_table(
        frame.reading.table,
        frame.task,
        frame.target,
        units=frame.reading.units,
        groupings=frame.groupings,
        within_between=split_names(args.within_between, list(map(str, frame.reading.table))) or (),
        **choices,
    )
    _check_target(ready, *around)
    together = np.asarray(ready.X.index) % frame.n_rows if frame.targets else None
    notes, targets = (*frame.reading.notes, *ready.notes), frame.targets
    ready = replace(
        ready, notes=notes, targets=targets, together=together, transform=around[0],
        scale_target=around[1], quantiles=args.quantiles or (),
    )  # fmt: skip
    del frame
    if ready.X.size >= MANY_CELLS:
        keep_arrays_apart()
        ready = ready.in_task_order()
    give_back()  # the texts
    return ready


def _check_quantiles(args: argparse.Namespace) -> None:
    """Refuse what says something else of the target."""
    from polytask.tables import TableError

    given = {
        "loss": args.loss != "auto", "kind": args.kind not in ("auto", "regression"),
        "levels": args.levels, "transform": args.transform, "scale-target": args.scale_target,
    }  # fmt: skip
    for argument, said in given.items():
        if said:
            raise TableError("must be left out with --quantiles, which are of numbers.", argument)


def _check_target(table: TaskTable, transform: str | None, scale: str | None) -> None:
    """Refuse what cannot be done to the target."""
    from polytask.tables import TableError
    from polytask.tables.errors import target_words

    for argument, asked in (("transform", transform), ("scale-target", scale)):
        if asked and (table.kind != "regression" or table.loss not in ("squared", "huber")):
            other = (
                target_words(table.kind) if table.kind != "regression" else f"--loss {table.loss}"
            )
            raise TableError(f"must be left out for {other}; it is for plain numbers.", argument)
    if transform and (table.y <= 0).any():
        place = table.y.index[table.y <= 0][0]
        raise TableError(
            f"must have a positive target; {table.target!r} is {table.y[place]:g} in row "
            f"{place + 1}. For amounts with zeros take --loss tweedie, for counts poisson.",
            "transform",
        )
