"""Files appear whole or not at all."""

import pandas as pd
import pytest

from polytask.tables import TableError, replacing, staged, write_table


def interrupted(path):
    path.write_text("half")
    raise KeyboardInterrupt


def test_replacing_keeps_the_old_file_on_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        interrupted(temporary)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_staged_replaces_its_files_and_leaves_others(tmp_path):
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with staged(tmp_path) as stage:
        (stage / "report.html").write_text("new")
        assert (tmp_path / "report.html").read_text() == "old"
    assert (tmp_path / "report.html").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "report.html"]


def test_staged_leaves_nothing_on_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "a" / "b") as stage:
        interrupted(stage / "x")
    assert not (tmp_path / "a" / "b").exists()


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
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.xlsx")
