"""A sheet of an Excel workbook as a table."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from polytask.data import repeated_names
from polytask.tables.errors import TableError, name_list

__all__ = ["ENDINGS", "read_workbook", "split_sheet", "write_workbook"]

ENDINGS = (".xlsx", ".xlsm")
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of a sheet, the names of columns included
MOST_LETTERS = 32_767  # of a cell
EXACT = 10**15  # whole numbers that a cell holds to the last digit


def split_sheet(source: Path) -> tuple[Path, str | None]:
    """The file and the sheet in ``book.xlsx#Sheet``; a file that is called so is itself meant.

    Examples
    --------
    >>> split_sheet(Path("costs.xlsx#May"))[1]
    'May'
    """
    name, _, sheet = source.name.rpartition("#")
    if not name.lower().endswith(ENDINGS) or source.exists():
        return source, None
    return source.with_name(name), sheet


def read_workbook(path: Path, sheet: str | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table of a sheet, the first by default, and a note where there are several.

    The first row that holds something has the column names. Formulas are read as the values that
    the program which saved the file had computed.
    """
    with _open(path) as book:
        names = [str(name) for name in book.sheet_names]
        chosen = names[0] if sheet is None else sheet
        if chosen not in names:
            raise TableError(
                f"TABLE must name a sheet of the workbook after #; got {chosen!r}. There are "
                f"{name_list(names)}."
            )
        cells = _cells(book, chosen)
    table = _table(cells, f"sheet {chosen!r} of {str(path)!r}")
    _check_computed(path, chosen, table)
    if sheet is not None or len(names) == 1:
        return table, ()
    others = name_list(name for name in names if name != chosen)
    return table, (f"Sheet {chosen!r} was read; for {others} write {path.name}#NAME.",)


def write_workbook(table: pd.DataFrame, handle: IO[bytes]) -> None:
    """A workbook of one sheet: numbers as numbers, all text as text, also where it begins with =.

    Whole numbers beyond fifteen digits become text, which keeps them.

    Raises
    ------
    TableError
        If a sheet cannot hold the table.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    if len(table) >= MOST_ROWS or table.shape[1] > MOST_COLUMNS:
        raise TableError(
            f"must hold at most {MOST_ROWS - 1:,} rows and {MOST_COLUMNS:,} columns as .xlsx; got "
            f"{len(table):,} and {table.shape[1]:,}. Write .csv or .parquet.",
            "out",
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")

    def cell(value: Any) -> Any:
        plain = _plain(value)
        if not isinstance(plain, str):
            return plain
        text = WriteOnlyCell(sheet, plain)
        text.data_type = "s"
        return text

    try:
        sheet.append([cell(str(name)) for name in table.columns])
        for row in table.itertuples(index=False, name=None):
            sheet.append([cell(value) for value in row])
    except BaseException as error:
        sheet.close()  # whose file would else be written to after it is gone
        if not isinstance(error, IllegalCharacterError):
            raise
        raise TableError(
            "must hold text without control characters as .xlsx. Write .csv or .parquet.", "out"
        ) from error
    book.save(handle)


def _plain(value: Any) -> Any:
    """What a cell can hold."""
    if not isinstance(value, list | dict | np.ndarray) and pd.isna(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value) if abs(int(value)) < EXACT else str(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else str(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value
    text = str(value)
    if len(text) > MOST_LETTERS:
        raise TableError(
            f"must hold texts of at most {MOST_LETTERS:,} letters as .xlsx; one has {len(text):,}. "
            "Write .csv or .parquet.",
            "out",
        )
    return text


def _open(path: Path) -> pd.ExcelFile:
    try:
        return pd.ExcelFile(path, engine="openpyxl")
    except ImportError as error:
        raise TableError(
            f"TABLE must be readable here; {str(path)!r} needs the package openpyxl. Run: pip "
            "install 'polytask[excel]'."
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TableError(
            f"TABLE must be a workbook of Excel; {str(path)!r} is none. Save it again as .xlsx."
        ) from error


def _cells(book: pd.ExcelFile, sheet: str) -> pd.DataFrame:
    """Every cell as it is, without rows and columns that are empty."""
    cells = pd.read_excel(
        book, sheet_name=sheet, header=None, dtype=object, keep_default_na=False, na_values=[""]
    )
    return cells.dropna(how="all").dropna(how="all", axis="columns")


def _table(cells: pd.DataFrame, where: str) -> pd.DataFrame:
    """The cells below the first row, under the names in it."""
    if cells.empty:
        raise TableError(f"TABLE must have a header and rows; {where} is empty.")
    titles, body = cells.iloc[0], cells.iloc[1:]
    if titles.isna().any():
        position = titles.index[titles.isna()][0] + 1
        raise TableError(
            f"TABLE must have a name over every column; {where} has none over column {position}, "
            "which holds values. Write one into the first row."
        )
    names = titles.astype(str).str.strip()
    if told := repeated_names(names.to_list(), f" in {where}"):
        raise TableError(f"TABLE {told}")
    return body.set_axis(names.to_list(), axis="columns").reset_index(drop=True).infer_objects()


def _check_computed(path: Path, sheet: str, table: pd.DataFrame) -> None:
    """Refuse columns of formulas that no program has computed: they would be gaps."""
    empty = [name for name in table if table[name].isna().all()]
    if not empty:
        return
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    found = any(cell.data_type == "f" for row in book[sheet].iter_rows() for cell in row)
    book.close()
    if found:
        raise TableError(
            f"TABLE must hold values; {name_list(empty)} of {str(path)!r} hold formulas that were "
            "never computed. Open the workbook in a spreadsheet program and save it."
        )
