"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from polytask.tables.errors import TableError

__all__ = ["replacing", "staged", "write_table"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside ``path`` that takes its place at the end, or vanishes on an error.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> place = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(place) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> place.read_text()
    'whole'
    """
    path = Path(path)
    # The suffix stays last, because writers choose their format by it.
    temporary = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged(directory: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary directory whose files move into ``directory`` together at the end.

    Files of the same name are replaced, other files are left alone. On an error nothing is
    written, and a directory that did not exist before is not left behind.
    """
    directory = Path(directory)
    existed = directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    stage = directory / f".polytask-{secrets.token_hex(4)}"
    stage.mkdir()
    try:
        yield stage
        for made in sorted(stage.iterdir()):
            made.replace(directory / made.name)
    finally:
        shutil.rmtree(stage)
        if not existed and not any(directory.iterdir()):
            directory.rmdir()


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write ``.parquet``, ``.csv`` or ``.tsv`` (also ``.gz``), whole or not at all.

    Raises
    ------
    TableError
        If the ending is none of these.
    """
    path = Path(path)
    suffixes = [s.lower() for s in path.suffixes if s.lower() != ".gz"]
    ending = suffixes[-1] if suffixes else ""
    if ending not in (".parquet", ".csv", ".tsv"):
        raise TableError(f"must end in .parquet, .csv or .tsv; got {path.name!r}.", "out")
    with replacing(path) as temporary:
        if ending == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False, sep="\t" if ending == ".tsv" else ",")
