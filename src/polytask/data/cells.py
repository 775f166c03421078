"""Ids of several columns together: a text for every combination that occurs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.data.task_spec import Name, Spec, column_names, spelled_out

__all__ = ["combined", "id_columns", "parted"]


def id_columns(task: Spec, columns: Sequence[str] | None = None) -> Any:
    """What holds the ids that sums are kept by: a column, or a tuple of those of all groupings."""
    names = column_names(spelled_out(task, columns))
    return tuple(names) if len(names) > 1 else (names[0] if names else None)


def combined(columns: Sequence[tuple[np.ndarray, Sequence[Any]]]) -> tuple[np.ndarray, list[Any]]:
    """Place of each row's combination in a list of those that occur, and the list.

    Parameters
    ----------
    columns : sequence of (places (n,), ids)
        Place of each row's id in a list of ids, by column.

    Examples
    --------
    >>> import numpy as np
    >>> place = np.array([0, 1, 1])
    >>> combined([(place, ["a", "b"]), (place, [7, 8])])
    (array([0, 1, 1]), ['["a", 7]', '["b", 8]'])
    """
    if len(columns) == 1:
        return columns[0][0], list(columns[0][1])
    key = np.zeros(len(columns[0][0]), dtype=np.int64)
    for place, ids in columns:
        key = key * len(ids) + place
    found, local = np.unique(key, return_inverse=True)
    parts: list[list[Any]] = []
    for _, ids in reversed(columns):
        parts.append([ids[k] for k in (found % len(ids)).tolist()])
        found = found // len(ids)
    texts = [json.dumps(cell, ensure_ascii=False) for cell in zip(*reversed(parts), strict=True)]
    return local, texts


def parted(texts: np.ndarray, columns: Sequence[Name]) -> dict[Name, np.ndarray]:
    """The ids of each column, combination by combination: the inverse of `combined`."""
    if len(columns) == 1:
        return {columns[0]: texts}
    cells = zip(*map(json.loads, texts.tolist()), strict=True)
    return {name: np.array(ids) for name, ids in zip(columns, cells, strict=True)}
