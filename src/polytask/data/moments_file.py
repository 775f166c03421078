"""Moments on disk: a .npz archive of plain arrays, no pickle."""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

import numpy as np

from polytask.data.files import replacing

__all__ = ["read_moments_file", "write_moments_file"]

_FORMAT = 1


def write_moments_file(path: str | os.PathLike[str], moments: Any) -> None:
    """Write fields of a `TaskMoments` under a temporary name, then give it its own."""
    upper = np.triu_indices(moments.sums.shape[-1])
    head = {
        "format": _FORMAT,
        "columns": moments.columns,
        "task": moments.task,
        "wide": moments.wide,
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file, head=np.array(json.dumps(head)), tasks=moments.tasks, shift=moments.shift,
            rows=moments.rows, upper=moments.sums[..., upper[0], upper[1]],
        )  # fmt: skip


def read_moments_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Fields of a `TaskMoments`.

    Raises
    ------
    ValueError
        If the file was not written by `TaskMoments.save`, or by a newer polytask.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            head = json.loads(str(archive["head"]))
            fields = {name: archive[name] for name in ("tasks", "shift", "rows", "upper")}
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, TypeError, IndexError) as error:
        raise ValueError(
            f"TaskMoments: path must be a file written by TaskMoments.save; got {str(path)!r}."
        ) from error
    if head.get("format") != _FORMAT:
        raise ValueError(
            f"TaskMoments: the file must be of format {_FORMAT}; {str(path)!r} has "
            f"{head.get('format')}. Update polytask."
        )
    columns = head["columns"]
    return {
        "tasks": fields["tasks"],
        "shift": fields["shift"],
        "rows": fields["rows"],
        "sums": _square(fields["upper"], len(fields["shift"]) + 1),
        "columns": None if columns is None else tuple(columns),
        "task": tuple(head["task"]) if isinstance(head["task"], list) else head["task"],
        "wide": bool(head.get("wide", False)),
    }


def _square(upper: np.ndarray, p: int) -> np.ndarray:
    """Symmetric matrices from their upper triangles."""
    first, second = np.triu_indices(p)
    sums = np.zeros((*upper.shape[:-1], p, p))
    sums[..., first, second] = upper
    sums[..., second, first] = upper
    return sums
