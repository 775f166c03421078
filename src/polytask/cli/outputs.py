"""Where results go: refused before the work starts, not after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from polytask.tables.database import is_query
from polytask.tables.errors import TableError

__all__ = ["check_directory", "check_file"]


def check_file(out: str, not_over: Sequence[str] = (), argument: str = "out") -> Path:
    """A path that a file can be written to, and that is none of the inputs.

    ``argument`` is its name in errors, in capitals where it stands without dashes.
    """
    path = Path(out)
    if path.is_dir():
        raise TableError(f"must be a file; got {out!r}, which is a directory.", argument)
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
    _check_writable(path.parent, out, argument)
    return path


def check_directory(out: str) -> Path:
    """A directory that exists or can be made."""
    path = Path(out)
    if path.exists() and not path.is_dir():
        raise TableError(f"must be a directory; got {out!r}, which is a file.", "out")
    there = path
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise TableError(f"must be a directory; got {out!r}, but {str(there)!r} is a file.", "out")
    _check_writable(there, out, "out")
    return path


def _check_writable(directory: Path, out: str, argument: str) -> None:
    if not os.access(directory, os.W_OK):
        raise TableError(
            f"must be a place that you may write to; got {out!r}. Choose another one.", argument
        )
