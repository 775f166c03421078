"""Reading a table from a file or a database, with one clear line when it cannot be read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from polytask.tables.arrow_columns import as_frame, plain_columns, read_arrow
from polytask.tables.csv_columns import collect
from polytask.tables.csv_dialect import OPENERS, Dialect, open_text, sniff
from polytask.tables.database import is_query, read_query, without_password
from polytask.tables.errors import TableError
from polytask.tables.plain_csv import collect_plain
from polytask.tables.stream_schema import unknown_type
from polytask.tables.text_values import AS_FOUND, Conventions, settle_values
from polytask.tables.workbook import ENDINGS as WORKBOOKS
from polytask.tables.workbook import read_workbook, split_sheet

__all__ = ["Reading", "read_table", "read_whole"]

PARQUET = (".parquet", ".pq", ".parq")
SPREADSHEETS = (".xls", ".ods")
ARROW = (".feather", ".arrow", ".ipc")
FOREIGN = (".rds", ".rda", ".sav", ".dta", ".json", ".zip", ".db", ".pkl")
CHUNK_CELLS = 1 << 17  # fields of text at a time: each is an object of some 60 bytes then


@dataclass(frozen=True, eq=False)
class Reading:
    """A table and how it was read.

    Attributes
    ----------
    table : DataFrame
        At least one row, distinct column names.
    notes : tuple of str
        What was assumed in reading.
    units : dict of str to str
        Currency or unit beside the numbers of a column, which was left off.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    units: dict[str, str]


def read_table(
    path: str | os.PathLike[str],
    *,
    as_text: Callable[[str], bool] = lambda name: False,
    missing: Sequence[str] = (),
    decimal: str = "",
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a table from a file or a database.

    Files: ``.csv``, ``.tsv`` (also ``.gz``, ``.bz2``, ``.xz``), ``.parquet``, ``.feather`` and
    ``.arrow``, ``.xlsx`` (``book.xlsx#Sheet`` for another sheet than the first). Databases:
    ``duckdb:///file?query=select …``, ``sqlite:///…``, ``postgresql://…``, which are only read.

    Separator (comma, semicolon, tab, bar) and encoding of text are found by looking; a file that
    is not UTF-8 is read as Windows-1252. Numbers are read with the decimal mark that the file
    shows, with marked thousands, currencies and units, and the notes say so; a column whose marks
    nothing decides stays text, and is refused as a feature.

    Parameters
    ----------
    path : path or str
        The file, or the URL of a database with a query.
    as_text : callable, default none
        Of which columns of text the values are kept letter by letter, so that an id ``007`` stays
        ``007`` and ``NA`` is an id. Parquet columns of other types have values already.
    missing : sequence of str
        Marks that mean a gap, in every column; empty cells always do, and in columns of numbers
        also ``NA``, ``null`` and what else programs write for it.
    decimal : {"", ".", ","}
        The mark before decimals; "" finds it.

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
    found = read_whole(path, as_text=as_text, given=Conventions(tuple(missing), decimal))
    return found.table, found.notes


def read_whole(
    path: str | os.PathLike[str],
    *,
    as_text: Callable[[str], bool] = lambda name: False,
    given: Conventions = AS_FOUND,
) -> Reading:
    """`read_table` with all that was found."""

    def letters(name: str) -> bool:
        return as_text(name) or given.decimal == ","  # then a point in a number is no plain one

    raw, points, shown, notes = (
        _read_query(path, as_text) if is_query(path) else _read_file(Path(path), letters)
    )
    if raw.empty:
        where = "the query" if is_query(path) else repr(str(path))
        raise TableError(f"TABLE must have rows; {where} has columns but no row.")
    table, told, units = settle_values(raw, as_text, given, points=points, shown=shown)
    return Reading(table, (*notes, *told), units)


def _read_query(
    source: str | os.PathLike[str], as_text: Callable[[str], bool]
) -> tuple[pd.DataFrame, bool, bool, tuple[str, ...]]:
    table = plain_columns(read_query(str(source)), as_text)
    return (
        as_frame(table, "the query"),
        True,
        False,
        (f"Rows were read from {without_password(source)}",),
    )


def _read_file(
    path: Path, letters: Callable[[str], bool]
) -> tuple[pd.DataFrame, bool, bool, tuple[str, ...]]:
    """The cells, whether points may be and have shown to be decimal marks, what was assumed."""
    path, sheet = split_sheet(path)
    _check_file(path)
    try:
        if path.suffix.lower() in WORKBOOKS:
            table, notes = read_workbook(path, sheet)
            return table, True, False, notes
        if path.suffix.lower() in ARROW:
            return as_frame(read_arrow(path), str(path)), True, False, ()
        if _is_parquet(path):
            return _read_parquet(path), True, False, ()
        dialect = sniff(path)
        table, shown = _parse(path, dialect, letters)
        return table, dialect.separator != ";", shown, dialect.notes
    except PermissionError as error:
        raise TableError(
            f"TABLE must be readable; you lack the permission to read {str(path)!r}. "
            "Change its permissions or copy it."
        ) from error


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
            f"TABLE must be CSV, TSV, Parquet, Feather, .xlsx or the URL of a database; "
            f"{str(path)!r} is {kind}. Save it as .csv or .parquet."
        )


def _is_parquet(path: Path) -> bool:
    if path.suffix.lower() in PARQUET:
        return True
    if path.suffix.lower() in OPENERS:
        return False
    with path.open("rb") as handle:
        return handle.read(4) == b"PAR1"


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowNotImplementedError as error:
        raise TableError(unknown_type(path, error)) from error
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise TableError(
            f"TABLE must be a Parquet file; {str(path)!r} cannot be read as one "
            f"({_first_sentence(error)}). Write it again, or rename it if it is CSV."
        ) from error
    return as_frame(table, str(path))


def _parts(path: Path, dialect: Dialect, names: Sequence[str] | None) -> Iterator[pd.DataFrame]:
    """Every field as text; in parts, because fields are many objects until they are columns."""
    with open_text(path, dialect.encoding) as handle, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        if dialect.skip:
            handle.readline()
        yield from pd.read_csv(
            handle,
            sep=dialect.separator,
            dtype="str",
            na_filter=False,
            index_col=False,
            skipinitialspace=True,
            usecols=None if names is None else list(names),
            chunksize=max(1, CHUNK_CELLS // max(1, len(dialect.header))),
        )


def _parse(
    path: Path, dialect: Dialect, letters: Callable[[str], bool]
) -> tuple[pd.DataFrame, bool]:
    """The columns, and whether points have shown to be decimal marks."""
    try:
        found = collect_plain(path, dialect, letters)
        return found or collect(lambda names: _parts(path, dialect, names), letters)
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


def _first_sentence(error: BaseException) -> str:
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".")[:160]
