"""Large plain text tables are read by arrow as they are read with care."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import plain_csv
from polytask.tables.csv_dialect import sniff
from polytask.tables.plain_csv import collect_plain
from polytask.tables.reading import read_whole

PLAIN = {
    "numbers": 'task,x,"y"\na,1,-.5\nb,2,1e3\na,-3,2.\n',
    "gaps": "task,x,y\n1,NA,0.25\n2,,nan\n1,7,#N/A\n",
    "labels": "task;word;y\n1;yes;0.5\n2;;1.5\n1;NA;2.5\n",
    "dates": "task,day,y\na,2024-01-02,1\nb,2024-03-04,2\n",
    "lines": "task,x\r\na,1\r\nb,2\r\n",
    "blank lines": "task,x\na,1\n\nb,2\n",
    "words of truth": "task,x\na,true\nb,False\n",
    "many digits": "task,x\na,123456789012345678\nb,0.1234567890123456789\n",
}
ODD = {
    "quotes": 'task,x\n"a,b",1\nc,2\n',
    "zeros before": "task,x\na,007\nb,012\n",
    "infinity": "task,x\na,1\nb,-inf\n",
    "blanks": "task,x\na, 1\nb,2\n",
    "blanks behind": "task,x\na,1 \nb,2\n",
    "blanks at the end": "task,x\na,1\nb,2 ",
    "minus zeros": "task,x\na,1\nb,-07\n",
    "short line": "task,x,y\na,1,2\nb,2\n",
    "thousands": "task,x\na,1.234\nb,5.678\n",
    "lone returns": "task,x\na,1\rb,2\n",
    "mark": "\ufefftask,x\na,1\nb,2\n",
}


@pytest.fixture
def anywhere(monkeypatch):
    monkeypatch.setattr(plain_csv, "_LARGE", 0)


def written(folder, text):
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", PLAIN)
def test_the_same_table_as_with_care(name, tmp_path, monkeypatch):
    path = written(tmp_path, PLAIN[name])
    with_care = read_whole(path)
    monkeypatch.setattr(plain_csv, "_LARGE", 0)
    assert collect_plain(path, sniff(path), lambda _: False) is not None
    plain = read_whole(path)
    pd.testing.assert_frame_equal(plain.table, with_care.table, check_exact=True)
    assert plain.notes == with_care.notes


@pytest.mark.parametrize("name", ODD)
def test_what_arrow_would_read_otherwise_is_left_alone(name, tmp_path, anywhere):
    path = written(tmp_path, ODD[name])
    assert collect_plain(path, sniff(path), lambda _: False) is None


@pytest.mark.parametrize("name", sorted({*ODD} - {"short line", "thousands"}))
def test_what_two_blocks_share_is_seen(name, tmp_path, monkeypatch, anywhere):
    path = written(tmp_path, ODD[name])
    dialect = sniff(path)
    for size in range(1, 20):
        monkeypatch.setattr(plain_csv, "_LOOK", size)
        assert not plain_csv._is_plain(path, dialect)


def test_the_quick_look_misses_nothing(rng):
    odd, letters = plain_csv._odd(","), np.frombuffer(b'00159,,-+.\n "\tinfx\r', dtype=np.uint8)
    told = []
    for _ in range(4000):
        block = letters[rng.integers(len(letters), size=rng.integers(1, 9))].tobytes()
        told.append((plain_csv._has(block, odd), plain_csv._may_match(block, ord(","))))
    assert {(True, True), (False, False)} <= set(told)
    assert (True, False) not in told


def test_columns_that_are_text_stay_letter_by_letter(tmp_path, anywhere):
    path = written(tmp_path, "task,x\n10,1.50\n20,2.50\n")
    table, _ = collect_plain(path, sniff(path), lambda name: name == "x")
    assert table["x"].tolist() == ["1.50", "2.50"]
    assert table["task"].tolist() == [10, 20]


def test_text_far_below_numbers_is_read_with_care(tmp_path, monkeypatch, anywhere):
    monkeypatch.setattr(plain_csv, "_FIRST", 1 << 10)
    rows = [f"{i % 7},{i}" for i in range(2000)]
    path = written(tmp_path, "\n".join(["task,x", *rows, "3,unknown", ""]))
    assert collect_plain(path, sniff(path), lambda _: False) is None
    assert read_whole(path).table["x"].iloc[-1] == "unknown"


def test_parts_make_one_table(tmp_path, monkeypatch, anywhere):
    monkeypatch.setattr(plain_csv, "_BLOCK", 1 << 12)
    rng = np.random.default_rng(0)
    given = pd.DataFrame({"task": rng.integers(9, size=3000), "x": rng.normal(size=3000)})
    given.loc[rng.integers(3000, size=50), "x"] = np.nan
    path = tmp_path / "table.csv"
    given.to_csv(path, index=False)
    table, points = collect_plain(path, sniff(path), lambda _: False)
    pd.testing.assert_frame_equal(table, given, check_exact=True)
    assert points
