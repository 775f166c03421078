"""The commands on a database and on a workbook, end to end."""

import json

import pandas as pd
import pytest

duckdb = pytest.importorskip("duckdb", reason="needs polytask[sql]")
TASK = ["--task", "site, nr", "--target", "score"]


@pytest.fixture
def source(related, tmp_path):
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.register("seen", related)
        connection.execute("create table visits as select * from seen")
    return f'duckdb:///{tmp_path}/shop.duckdb?query=select * exclude ("prediction") from visits'


def test_compare_and_predict_on_a_query(polytask, source, tmp_path):
    answer = polytask("compare", source, *TASK, "--models", "pooled", "--cv", "2", "--out",
                      tmp_path / "r")  # fmt: skip
    assert answer.code == 0, answer.err
    found = json.loads((tmp_path / "r" / "results.json").read_text(encoding="utf-8"))
    assert found["table"] == source
    assert any("select * exclude" in note for note in found["notes"])
    assert "select * exclude" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    answer = polytask(
        "predict", tmp_path / "r" / "model.skops", source, "--out", tmp_path / "p.csv"
    )
    assert answer.code == 0, answer.err
    assert len(pd.read_csv(tmp_path / "p.csv")) == 112


def test_init_and_describe_on_a_workbook(polytask, related, tmp_path):
    related.to_excel(tmp_path / "t.xlsx", sheet_name="rows", index=False)
    answer = polytask("init", tmp_path / "t.xlsx", "--target", "score")
    assert answer.code == 0, answer.err
    answer = polytask("describe", f"{tmp_path}/t.xlsx#rows", *TASK)
    assert answer.code == 0, answer.err
    assert "112 rows, 8 tasks" in answer.out


def test_a_query_is_not_streamed(polytask, source, tmp_path):
    answer = polytask("fit", source, *TASK, "--stream", "--out", tmp_path / "m.skops")
    assert answer.code == 2
    assert "--stream" in answer.err
    assert answer.err.count("\n") == 1
