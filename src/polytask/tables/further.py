"""The columns of groupings beside the task."""

from __future__ import annotations

from collections.abc import Sequence

from polytask.tables.errors import TableError, find_column

__all__ = ["further_columns"]


def further_columns(
    columns: Sequence[str], groupings: Sequence[tuple[str, ...]], task: str, target: str
) -> tuple[str, ...]:
    """The columns of groupings beside the task's."""
    names = dict.fromkeys(name for grouping in groupings for name in grouping)
    found = [find_column(name, list(columns), "task") for name in names]
    if target in found:
        raise TableError(f"must be other columns than the target; got {target!r}.", "task")
    return tuple(name for name in found if name != task)
