"""Where results go: refused before the work starts, not after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from polytask.data.folders import in_the_way
from polytask.tables.database import is_query
from polytask.tables.errors import TableError

__all__ = ["check_directory", "check_file"]


def check_file(out: str, not_over: Sequence[str] = (), argument: str = "out") -> Path:
    """A path that a file can be written to, and that is none of the inputs.

    ``argument`` is its name in errors, in capitals where it stands without dashes.
    """
    path = _path(out, "file", argument)
    if path.exists() and not path.is_file():
        what = "a directory" if path.is_dir() else "no regular file"
        raise TableError(f"must be a file; got {out!r}, which is {what}.", argument)
    for source in not_over:
        if (
            path.exists()
            and not is_query(source)
            and Path(source).exists()
            and path.samefile(source)
        ):
            raise TableError(f"must not be an input; got {out!r}. Choose another name.", argument)
    if not path.parent.is_dir():
        raise TableError(
            f"must be in a directory that exists; got {out!r}. Make {str(path.parent)!r} first.",
            argument,
        )
    _check_writable(path.parent, (path.name,), out, argument)
    return path


def check_directory(out: str, names: Sequence[str] = ()) -> Path:
    """A directory that exists or can be made, where files of these names can be written."""
    path = _path(out, "directory", "out")
    if path.exists() and not path.is_dir():
        raise TableError(f"must be a directory; got {out!r}, which is a file.", "out")
    there = path
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise TableError(f"must be a directory; got {out!r}, but {str(there)!r} is a file.", "out")
    _check_writable(there, names if there == path else (), out, "out")
    return path


def _path(out: str, what: str, argument: str) -> Path:
    if not out.strip():
        raise TableError(f"must name a {what}; got {out!r}. Name one.", argument)
    return Path(out)


def _check_writable(directory: Path, names: Sequence[str], out: str, argument: str) -> None:
    told = in_the_way(directory, names)
    if told or not os.access(directory, os.W_OK):
        raise TableError(
            f"must be a place that you may write to; got {out!r}{told and f': {told}'}. "
            "Choose another one.",
            argument,
        )
