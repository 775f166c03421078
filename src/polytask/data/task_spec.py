"""What a ``task`` parameter names: one column, or several groupings of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Name", "Spec", "column_names", "grouping_names", "spelled_out", "unit_of"]

Name = str | int
Spec = None | Name | Sequence[Any]


def spelled_out(task: Spec, columns: Sequence[str] | None = None) -> list[tuple[Name, ...]]:
    """The columns of every grouping that a ``task`` parameter names.

    A grouping is a column or, in a tuple, several whose ids count together. ``"a/b"`` is short
    for ``"a"`` and ``("a", "b")``: ids of b may start again in every a. A column that is called
    so is meant itself.

    Examples
    --------
    >>> spelled_out(["school/class", "year"])
    [('school',), ('school', 'class'), ('year',)]
    """
    if task is None:
        return []
    whole = [task] if isinstance(task, str | int | np.integer) else list(task)
    found: list[tuple[Name, ...]] = []
    for item in whole:
        if isinstance(item, tuple | list):
            found.append(tuple(item))
        elif isinstance(item, str) and "/" in item and item not in (columns or ()):
            names = [name.strip() for name in item.split("/")]
            found += [tuple(names[: k + 1]) for k in range(len(names))]
        else:
            found.append((item,))
    return list(dict.fromkeys(found))


def grouping_names(groupings: Sequence[tuple[Name, ...]]) -> list[str]:
    """What each is called: "school", "school/class"."""
    return ["/".join(map(str, columns)) for columns in groupings]


def column_names(groupings: Sequence[tuple[Name, ...]]) -> list[Name]:
    """Every column once, in the order in which groupings name them."""
    return list(dict.fromkeys(name for columns in groupings for name in columns))


def unit_of(task: Spec, columns: Sequence[str] | None = None) -> Any:
    """The column whose ids are the tasks: that of the first grouping.

    Raises
    ------
    ValueError
        If it is made of several columns.

    Examples
    --------
    >>> unit_of(["school/class", "year"])
    'school'
    """
    if task is None:
        return None
    first = spelled_out(task, columns)[:1]
    if not first or len(first[0]) != 1:
        raise ValueError(
            f"task must name a single column first, whose ids are the tasks; got {task!r}. Put one "
            "before the combinations."
        )
    return first[0][0]
