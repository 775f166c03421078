"""A sheet of an Excel workbook as a table."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

from polytask.data import repeated_names
from polytask.tables.errors import TableError, name_list

__all__ = ["ENDINGS", "read_workbook", "split_sheet"]

ENDINGS = (".xlsx", ".xlsm")


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
