"""Several targets without a task column: each of them is a task."""

import json

import numpy as np
import pandas as pd
import pytest

TARGETS = ["y1", "y2", "y3"]


@pytest.fixture
def wide(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    for k, name in enumerate(TARGETS):
        table[name] = X @ [1.0, -1.0, 0.2 * k] + 0.5 * rng.normal(size=90)
        table.loc[rng.random(90) < 0.3, name] = np.nan
    table.to_csv(tmp_path / "t.csv")  # with an index
    return table, tmp_path


def test_compare_fit_and_predict(polytask, wide):
    table, place = wide
    words = ["--target", ",".join(TARGETS), "--models", "single-task,mean-regularized"]
    done = polytask("compare", place / "t.csv", *words, "--out", place / "out", "--cv", "3")
    assert done.code == 0, done.err
    results = json.loads((place / "out/results.json").read_text())
    assert sorted(task["task"] for task in results["tasks"]) == TARGETS
    assert results["data"]["rows"] == int(table[TARGETS].notna().sum().sum())
    assert "all labels of a row in one fold" in json.dumps(results)
    assert any("'Unnamed: 0' was left out" in note for note in results["notes"])
    done = polytask("predict", place / "out/model.skops", place / "t.csv", "--out", place / "p.csv")
    assert done.code == 0, done.err
    made = pd.read_csv(place / "p.csv")
    assert len(made) == 90
    for name in TARGETS:
        known = table[name].notna()
        error = made[f"prediction_{name}"].to_numpy()[known] - table[name][known]
        assert np.sqrt((error**2).mean()) < 0.7


def test_describe(polytask, wide):
    done = polytask("describe", wide[1] / "t.csv", "--target", "y1,y2")
    assert done.code == 0
    assert "2 tasks in 'target'" in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--target", "y1"], "--task must name the column that says which task"),
        (["--target", "y1,zz"], "--target must name a column of the table; got 'zz'"),
        (["--target", "y1,flag"], "--target must name targets of one kind"),
        (
            ["--target", "flag,other"],
            "--target must name targets with the same values; 'flag' has '0', '1', 'other' 'no'",
        ),
    ],
)
def test_what_is_refused(polytask, wide, words, told):
    table, place = wide
    table["flag"] = np.arange(90) % 2
    table["other"] = np.where(np.arange(90) % 2, "yes", "no")
    table.to_csv(place / "t.csv", index=False)
    done = polytask("fit", place / "t.csv", *words, "--out", place / "m.skops")
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_streamed_table_has_one_target(polytask, wide):
    table, place = wide
    table.to_parquet(place / "t.parquet")
    done = polytask("fit", place / "t.parquet", "--target", "y1,y2", "--stream")
    assert done.code == 2
    assert "--target must name one column in a table that is streamed" in done.err
