"""Reading a table from a CSV or Parquet file, with one clear line when it cannot be read."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from polytask.data import repeated_names
from polytask.tables.csv_dialect import OPENERS, Dialect, open_text, sniff
from polytask.tables.errors import TableError

__all__ = ["read_table"]

PARQUET = (".parquet", ".pq", ".parq")
SPREADSHEETS = (".xls", ".xlsx", ".ods")
FOREIGN = (".feather", ".arrow", ".rds", ".rda", ".sav", ".dta", ".json", ".zip", ".db", ".pkl")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")


def read_table(
    path: str | os.PathLike[str], *, as_text: Callable[[str], bool] = lambda name: False
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table from ``.csv``, ``.tsv`` (also ``.gz``, ``.bz2``, ``.xz``) or ``.parquet``.

    Separator (comma, semicolon, tab, bar) and encoding of text are found by looking; a file that
    is not UTF-8 is read as Windows-1252, and semicolon files with decimal commas as such.

    Parameters
    ----------
    path : path
        The file.
    as_text : callable, default none
        Of which columns of a text file the values are kept letter by letter, so that an id
        ``007`` stays ``007``. Parquet columns have types of their own.

    Returns
    -------
    table : DataFrame
        At least one row, distinct column names.
    notes : tuple of str
        What was assumed in reading.

    Raises
    ------
    TableError
        If the file is absent, not readable, not a table, empty, or has a column name twice.
    """
    path = Path(path)
    _check_file(path)
    try:
        if _is_parquet(path):
            table, notes = _read_parquet(path)
        else:
            table, notes = _read_text(path, sniff(path), as_text)
    except PermissionError as error:
        raise TableError(
            f"TABLE must be readable; you lack the permission to read {str(path)!r}. "
            "Change its permissions or copy it."
        ) from error
    if table.empty:
        raise TableError(f"TABLE must have rows; {str(path)!r} has columns but no row.")
    return table, notes


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise TableError(f"TABLE must be a file; {str(path)!r} is a directory. Name a file in it.")
    if not path.exists():
        raise TableError(f"TABLE must be a file that exists; there is no {str(path)!r}.")
    if path.stat().st_size == 0 and path.is_file():
        raise TableError(f"TABLE must have a header and rows; {str(path)!r} is empty (0 bytes).")
    suffix = path.suffix.lower()
    if suffix in (*SPREADSHEETS, *FOREIGN):
        kind = "a spreadsheet" if suffix in SPREADSHEETS else f"a {suffix} file"
        raise TableError(
            f"TABLE must be CSV, TSV or Parquet; {str(path)!r} is {kind}. Save it as .csv or "
            ".parquet."
        )


def _is_parquet(path: Path) -> bool:
    if path.suffix.lower() in PARQUET:
        return True
    if path.suffix.lower() in OPENERS:
        return False
    with path.open("rb") as handle:
        return handle.read(4) == b"PAR1"


def _read_parquet(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise TableError(
            f"TABLE must be a Parquet file; {str(path)!r} cannot be read as one "
            f"({_first_sentence(error)}). Write it again, or rename it if it is CSV."
        ) from error
    if told := repeated_names(table.column_names, f" in {str(path)!r}"):
        raise TableError(f"TABLE {told}")
    # A pandas index that was stored becomes a column again: it may be the task.
    frame = table.to_pandas()
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index(drop=not named).rename(columns=str), ()


def _read_text(
    path: Path, dialect: Dialect, as_text: Callable[[str], bool]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    table = _parse(path, dialect, as_text, ".")
    notes = dialect.notes
    if dialect.separator != "," and _has_decimal_commas(table, as_text):
        table = _parse(path, dialect, as_text, ",")
        notes = (*notes, "Numbers are written with a decimal comma and were read as such.")
    return table, notes


def _parse(
    path: Path, dialect: Dialect, as_text: Callable[[str], bool], decimal: str
) -> pd.DataFrame:
    types = {name: str for name in dialect.header if name and as_text(name)}
    try:
        with open_text(path, dialect.encoding) as handle, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # kinds are looked at later
            return pd.read_csv(
                handle,
                sep=dialect.separator,
                dtype=types,
                decimal=decimal,
                index_col=False,
                skipinitialspace=True,
                low_memory=False,
            )
    except pd.errors.EmptyDataError as error:
        raise TableError(f"TABLE must have a header and rows; {str(path)!r} is empty.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise TableError(
            f"TABLE must have as many fields in every line as in its header "
            f"({len(dialect.header)}); {str(path)!r}: {_first_sentence(error)}. "
            "Correct that line, or quote fields that contain the separator."
        ) from error
    except UnicodeDecodeError as error:
        raise TableError(
            f"TABLE must be text in UTF-8; {str(path)!r} cannot be decoded as {error.encoding}. "
            "Save it as CSV (UTF-8)."
        ) from error


def _has_decimal_commas(table: pd.DataFrame, as_text: Callable[[str], bool]) -> bool:
    """Whether some text column holds nothing but numbers with a decimal comma (and integers)."""
    for name in table.columns:
        if as_text(str(name)) or not pd.api.types.is_string_dtype(table[name].dtype):
            continue
        values = table[name].dropna().astype(str)
        commas = values.str.fullmatch(DECIMAL_COMMA)
        if commas.any() and pd.to_numeric(values[~commas], errors="coerce").notna().all():
            return True
    return False


def _first_sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".")[:160]
