"""The description counts right and finds what was planted."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, describe_table


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    task = np.repeat(["a", "b", "c", "d", "e"], [10, 20, 30, 6, 1])
    n = len(task)
    return pd.DataFrame(
        {
            "task": task,
            "x": rng.normal(size=n),
            "level": pd.Series(task).map({"a": 1.0, "b": 2.0, "c": 3.0, "d": 1.0, "e": 2.0}),
            "flat": 5,
            "y": rng.normal(size=n),
        }
    )


def texts(table, target="y", severity=None, **choices):
    found = describe_table(table, "task", target, **choices).findings
    return " | ".join(f.what for f in found if severity in (None, f.severity))


def test_sizes_and_columns(table):
    found = describe_table(table, "task", "y")
    assert found.tasks == 5
    assert found.sizes == {"min": 1, "q25": 6, "median": 10, "q75": 20, "max": 30}
    columns = found.columns.set_index("name")
    assert columns.loc["x", "constant_tasks"] == 0
    assert columns.loc["level", "constant_tasks"] == 4
    assert columns["task_level"].to_dict() == {"x": False, "level": True, "flat": True}
    assert found.encoded_columns == 3


def test_between_tasks_share_is_that_of_the_means():
    table = pd.DataFrame({"task": [1, 1, 2, 2], "x": [1.0, 2, 3, 4], "y": [0.0, 0, 3, 3]})
    found = describe_table(table, "task", "y", kind="regression")
    assert found.target_summary["between_tasks"] == 1.0


def test_planted_findings(table):
    assert "Constant in the whole table, so without information: 'flat'" in texts(table)
    assert "Constant inside every task: 'level'" in texts(table)
    assert "1 task of a single row ('e')" in texts(table)
    assert "1 of 5 tasks has fewer rows than the 3 columns" in texts(table)


def test_one_class_and_constant_targets(table):
    one_class = table.assign(y=np.where(table["task"] == "a", 1, np.arange(67) % 2))
    assert "1 task ('a') hold a single class" in texts(one_class, severity="warning")
    constant = table.assign(y=table["y"].where(table["task"] != "b", 1.0))
    assert "1 task ('b') have a constant target" in texts(constant, severity="warning")


@pytest.mark.parametrize("labels", [True, False])
def test_a_target_that_never_varies_inside_a_task_stops_a_comparison(table, labels):
    level = table["task"].astype(str).rank(method="dense")
    found = texts(table.assign(y=level % 2 if labels else level), severity="error")
    assert "'y' is the same in all rows of every task" in found


def test_leak_duplicates_missing(table):
    changed = table.assign(copy=table["y"] * 2 + 1, hole=np.nan)
    changed.loc[:15, "hole"] = np.arange(16.0)
    changed = pd.concat([changed, changed.iloc[:3]])
    found = texts(changed, severity="warning")
    assert "'copy' fixes the target" in found
    assert "3 rows repeat another row" in found
    assert "More than half of the values are missing in 'hole'" in found
    assert "In some tasks no row has a value of 'hole'" in found


def test_what_would_stop_a_comparison_is_told_not_raised(table):
    assert "'oops' in row 3" in texts(
        table.assign(x=["1", "2", "oops", *["4"] * 64]), severity="error"
    )
    assert "must vary" in texts(table.assign(y=1.0), severity="error")
    assert "Infinite values in 'x'" in texts(table.assign(x=np.inf), severity="error")
    assert "a single task" in texts(table.assign(task="a"), severity="error")
    assert "of its own" in texts(table.assign(task=range(67)), severity="error")
    dates = table[["task", "y"]].assign(seen=pd.Timestamp("2024-01-01"))
    assert "No column is left" in texts(dates, severity="error")


def test_levels_alone_stop_no_comparison(table):
    levels = table[["task", "y"]]
    assert "levels of the tasks alone" in texts(levels, severity="note")
    assert "No column" not in texts(levels, severity="error")


def test_only_absent_columns_raise(table):
    with pytest.raises(TableError, match="Did you mean 'task'"):
        describe_table(table, "tsak", "y")


def test_every_description_is_json(table):
    for change in ({}, {"y": 1.0}, {"y": np.arange(67) % 2}, {"x": "text"}, {"x": None}):
        json.dumps(describe_table(table.assign(**change), "task", "y").to_dict())
