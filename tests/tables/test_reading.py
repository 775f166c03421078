"""Files of every kind become the same table, or one clear line."""

import gzip

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, read_table
from polytask.tables import reading as reading_module

TABLE = pd.DataFrame({"größe, m": [1.5, 2.25, None], 'a "b"': ["x;y", "ü", "z"], "n": [1, 2, 3]})


def check_same(path):
    table, _ = read_table(path)
    pd.testing.assert_frame_equal(table, TABLE, check_dtype=False)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found(tmp_path, separator):
    TABLE.to_csv(tmp_path / "t.csv", sep=separator, index=False)
    check_same(tmp_path / "t.csv")


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.bz2", ".csv.xz", ".tsv", ".txt"])
def test_endings(tmp_path, ending):
    path = tmp_path / f"t{ending}"
    TABLE.to_csv(path, sep="\t" if "tsv" in ending else ",", index=False)
    check_same(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    TABLE.to_csv(tmp_path / "t.csv", encoding=encoding, index=False)
    check_same(tmp_path / "t.csv")


def test_encoding_that_is_not_utf8_is_noted(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", encoding="cp1252", index=False)
    assert "Windows-1252" in read_table(tmp_path / "t.csv")[1][0]


def test_foreign_letter_beyond_the_first_lines(tmp_path):
    rows = ["a,b", *["1,x"] * 80_000, "2,ü"]
    (tmp_path / "t.csv").write_bytes("\n".join(rows).encode("cp1252"))
    assert read_table(tmp_path / "t.csv")[0]["b"].iloc[-1] == "ü"


def test_windows_line_ends(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False, lineterminator="\r\n")
    check_same(tmp_path / "t.csv")


def test_decimal_commas_of_semicolon_files(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", sep=";", decimal=",", index=False)
    check_same(tmp_path / "t.csv")


def test_text_columns_keep_their_zeros(tmp_path):
    (tmp_path / "t.csv").write_text("id,x\n007,1\n010,2\n")
    table, _ = read_table(tmp_path / "t.csv", as_text=lambda name: name == "id")
    assert table["id"].tolist() == ["007", "010"]
    assert table["x"].tolist() == [1, 2]


def test_parquet_with_an_index_that_is_a_column(tmp_path):
    TABLE.set_index("n").to_parquet(tmp_path / "t.parquet")
    assert "n" in read_table(tmp_path / "t.parquet")[0]


def test_parquet_by_its_first_bytes(tmp_path):
    TABLE.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").rename(tmp_path / "table")
    check_same(tmp_path / "table")


def refused(path, *words):
    with pytest.raises(TableError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    for word in words:
        assert word in message


def test_refusals(tmp_path):
    refused(tmp_path / "absent.csv", "there is no")
    refused(tmp_path, "is a directory")
    (tmp_path / "empty.csv").write_bytes(b"")
    refused(tmp_path / "empty.csv", "0 bytes")
    (tmp_path / "blank.csv").write_text(" \n\n")
    refused(tmp_path / "blank.csv", "empty")
    (tmp_path / "head.csv").write_text("a,b\n")
    refused(tmp_path / "head.csv", "no row")
    (tmp_path / "twice.csv").write_text("a,b,a\n1,2,3\n")
    refused(tmp_path / "twice.csv", "'a'", "more than once")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3,4,5\n6,7\n")
    refused(tmp_path / "ragged.csv", "line 3", "header (2)")
    (tmp_path / "wide.csv").write_text("a,b\n1,2,3\n4,5,6\n")
    refused(tmp_path / "wide.csv", "header (2)")
    (tmp_path / "binary.csv").write_bytes(b"a,b\n\x00\x01\x02")
    refused(tmp_path / "binary.csv", "zero bytes")
    (tmp_path / "not.csv.gz").write_text("a,b\n1,2\n")
    refused(tmp_path / "not.csv.gz", "decompressed")
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 9999)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.csv.gz", "decompressed")
    (tmp_path / "not.parquet").write_text("a,b\n1,2\n")
    refused(tmp_path / "not.parquet", "Parquet")
    (tmp_path / "book.ods").write_bytes(b"PK")
    refused(tmp_path / "book.ods", "spreadsheet", ".csv")


def test_parquet_with_a_name_twice(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", "'a'", "more than once")


def test_permission(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")

    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(reading_module, "sniff", locked)
    refused(tmp_path / "t.csv", "permission")


@pytest.mark.parametrize("late", ["north", "7.700.1", "1,5", "12 €", "  "])
def test_a_column_that_turns_out_late_is_read_as_if_it_had_from_the_start(
    tmp_path, late, monkeypatch
):
    """Parts of a file are taken for numbers until a cell says otherwise."""
    lines = ["t,x,n"] + [f"a,{k % 7}.25,{k}" for k in range(400)] + [f'b,"{late}",NA']
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    whole, told = read_table(tmp_path / "t.csv")
    monkeypatch.setattr("polytask.tables.reading.CHUNK_CELLS", 90)
    parts, also = read_table(tmp_path / "t.csv")
    pd.testing.assert_frame_equal(whole, parts)
    assert told == also
    assert len(parts) == 401


def test_a_large_table_of_numbers_needs_little_more_than_its_numbers(tmp_path):
    import tracemalloc

    table = pd.DataFrame(np.random.default_rng(0).normal(size=(60_000, 10)).round(6))
    table.columns = [f"x{k}" for k in table]
    table.to_csv(tmp_path / "t.csv", index=False)
    tracemalloc.start()
    read_table(tmp_path / "t.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * (tmp_path / "t.csv").stat().st_size
