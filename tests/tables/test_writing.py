"""Tables are written as the ending of a name says."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, write_table


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet"])
def test_tables_come_back(tmp_path, name):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "ü,"]})
    write_table(table, tmp_path / name)
    if name.endswith("parquet"):
        back = pd.read_parquet(tmp_path / name)
    else:
        back = pd.read_csv(tmp_path / name, sep="\t" if "tsv" in name else ",")
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


def test_unknown_ending(tmp_path):
    with pytest.raises(TableError, match=r"out must end in \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.ods")


def test_workbooks_hold_text_as_text(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    table = pd.DataFrame({"a": ["=1+1", "007", None], "b": [1.5, np.nan, np.inf],
                          "c": [2**60, 1, 2], "d": [True, False, True]})  # fmt: skip
    write_table(table, tmp_path / "t.xlsx")
    rows = [[c.value for c in row] for row in openpyxl.load_workbook(tmp_path / "t.xlsx").active]
    assert rows[0] == ["a", "b", "c", "d"]
    assert rows[1] == ["=1+1", 1.5, str(2**60), True]
    assert rows[2] == ["007", None, 1, False]
    assert rows[3] == [None, "inf", 2, True]
    kinds = [c.data_type for c in openpyxl.load_workbook(tmp_path / "t.xlsx").active[2]]
    assert kinds == ["s", "n", "s", "b"]


@pytest.mark.parametrize("text", ["a\x00b", "x" * 40_000])
def test_what_a_sheet_cannot_hold_leaves_no_file(tmp_path, text):
    pytest.importorskip("openpyxl")
    with pytest.raises(TableError, match="out must hold text"):
        write_table(pd.DataFrame({"a": [text]}), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TableError, match=r"pip install 'polytask\[excel\]'"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.xlsx")
