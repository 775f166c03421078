"""Writing a table as the ending of a name says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from polytask.data.files import replacing
from polytask.tables.errors import TableError

__all__ = ["write_table"]


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table to a path: ``.parquet``, ``.csv`` or ``.tsv`` (also ``.gz``), or not at all.

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
    packed: Any = "gzip" if path.suffix.lower() == ".gz" else None
    with replacing(path) as temporary, temporary.open("wb") as handle:
        if ending == ".parquet":
            table.to_parquet(handle, index=False)
        else:
            separator = "\t" if ending == ".tsv" else ","
            table.to_csv(handle, index=False, sep=separator, compression=packed)
