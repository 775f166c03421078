"""Writing a table as the ending of a name says."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pandas as pd

from polytask.data.files import replacing
from polytask.tables.errors import TableError
from polytask.tables.workbook import write_workbook

__all__ = ["check_ending", "write_table"]


def check_ending(path: Path) -> str:
    """The ending that says how a table is written.

    Raises
    ------
    TableError
        If there is none, or the package that it needs is not here.
    """
    name = path.name.lower()
    ending = Path(name.removesuffix(".gz")).suffix
    if ending not in (".parquet", ".csv", ".tsv", ".xlsx") or name.endswith(".xlsx.gz"):
        raise TableError(f"must end in .parquet, .csv, .tsv or .xlsx; got {path.name!r}.", "out")
    if ending == ".xlsx" and importlib.util.find_spec("openpyxl") is None:
        raise TableError(
            f"must be a kind of file that can be written here; {path.name!r} needs the package "
            "openpyxl. Run: pip install 'polytask[excel]'. Or write .csv.",
            "out",
        )
    return ending


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table to a path: ``.parquet``, ``.csv`` or ``.tsv`` (also ``.gz``), ``.xlsx``.

    Whole, or not at all.

    Raises
    ------
    TableError
        If the ending is none of these, or the table cannot be written so.
    """
    path = Path(path)
    ending = check_ending(path)
    packed: Any = "gzip" if path.suffix.lower() == ".gz" else None
    with replacing(path) as temporary, temporary.open("wb") as handle:
        if ending == ".parquet":
            table.to_parquet(handle, index=False)
        elif ending == ".xlsx":
            write_workbook(table, handle)
        else:
            separator = "\t" if ending == ".tsv" else ","
            table.to_csv(handle, index=False, sep=separator, compression=packed)
