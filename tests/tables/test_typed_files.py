"""Excel workbooks and files of Arrow."""

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from polytask.tables import TableError, read_table


@pytest.fixture
def table():
    return pd.DataFrame({
        "site": ["007", "NA", None, "x"], "dose": [1.5, np.nan, 3.0, 4.0], "n": [1, 2, 3, 4],
        "seen": pd.date_range("2024-01-01", periods=4), "on": [True, False, True, False],
    })  # fmt: skip


@pytest.fixture
def book(table, tmp_path):
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        table.to_excel(writer, sheet_name="May", index=False)
        table.head(2).to_excel(writer, sheet_name="June 2", index=False, startrow=2, startcol=1)
    return path


def test_sheets_by_name(book, table):
    first, notes = read_table(book)
    assert notes == ("Sheet 'May' was read; for 'June 2' write book.xlsx#NAME.",)
    pd.testing.assert_frame_equal(first, table, check_dtype=False)
    assert first["n"].dtype == int
    second, notes = read_table(f"{book}#June 2")
    assert notes == ()
    assert second["site"].tolist() == ["007", "NA"]
    assert second["n"].tolist() == [1, 2]
    with pytest.raises(TableError, match=r"after #; got 'July'. There are 'May', 'June 2'."):
        read_table(f"{book}#July")


def make(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["a", None], [1, 2]], "none over column 2"),
        ([["a", "a"], [1, 2]], "distinct"),
        ([["a", "b"], [1, "=A2*2"]], "'b' of .* hold formulas that were never computed"),
        ([], "is empty"),
        ([["a", "b"]], "columns but no row"),
    ],
)
def test_sheets_that_are_no_table(rows, told, tmp_path):
    with pytest.raises(TableError, match=told):
        read_table(make(tmp_path / "t.xlsx", rows))


def test_a_mark_in_the_name_of_a_file(tmp_path):
    path = make(tmp_path / "a.xlsx#b.xlsx", [["x"], [1]])
    assert read_table(path)[0]["x"].tolist() == [1]


def test_files_of_arrow(table, tmp_path):
    arrow = pa.Table.from_pandas(table)
    pyarrow.feather.write_feather(arrow, tmp_path / "t.feather")
    with pa.ipc.new_stream(tmp_path / "t.arrow", arrow.schema) as writer:
        writer.write_table(arrow)
    for name in ("t.feather", "t.arrow"):
        found, notes = read_table(tmp_path / name)
        assert notes == ()
        pd.testing.assert_frame_equal(found, table, check_dtype=False)


@pytest.mark.parametrize("name", ["t.feather", "t.xlsx"])
def test_files_that_are_something_else(name, tmp_path):
    (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match="TABLE must be a"):
        read_table(tmp_path / name)
