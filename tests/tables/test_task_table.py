"""Rows, columns, targets and ids are chosen as documented, and every choice is noted."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, describe_table, make_task_table
from polytask.tables.targets import read_target
from polytask.tables.task_ids import match_ids, read_ids


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "school": np.repeat([3, 1, 2], 4),
            "x": rng.normal(size=12),
            "color": ["red", "blue", None] * 4,
            "ok": [True, False] * 6,
            "born": ["2020-01-01", "2020-01-02"] * 6,
            "name": [f"n{i}" for i in range(12)],
            "void": [None] * 12,
            "y": rng.normal(size=12),
        }
    )


def test_columns_by_default(table):
    made = make_task_table(table, "school", "y")
    assert made.numeric == ("x", "ok")
    assert made.categorical == ("color",)
    assert made.X.columns.tolist() == ["x", "color", "ok", "school"]
    notes = " ".join(made.notes)
    for name in ("born", "name", "void"):
        assert f"Column '{name}' was left out" in notes
    assert "4 missing feature values in 'color'" in notes


def test_named_features_keep_their_order_and_ids(table):
    made = make_task_table(table, "school", "y", features=["name", "x", "x"])
    assert made.features == ("name", "x")
    assert made.categorical == ("name",)


def test_categorical_on_request(table):
    table["code"] = [1.0, 2.0, np.nan] * 4
    made = make_task_table(table, "school", "y", features=["code"], categorical=["code"])
    assert made.X["code"].dropna().unique().tolist() == ["1", "2"]


def test_rows_without_target_or_task_are_counted(table):
    table = table.astype({"school": float})
    table.loc[[0, 5], "y"] = np.nan
    table.loc[[1], "school"] = np.nan
    made = make_task_table(table, "school", "y")
    assert len(made.y) == 9
    assert made.X["school"].dtype == np.int64
    assert "2 rows (16.7%) without a target ('y') left out." in made.notes
    assert "1 row (8.3%) without a task id ('school') left out." in made.notes


def test_na_among_ids_that_are_numbers_is_a_gap(table):
    """R writes NA where an id is missing (survival's lung): it became a task of that name."""
    table["school"] = table["school"].astype(str).where(table.index != 1, "NA")
    made = make_task_table(table, "school", "y")
    assert made.id_form == "integer"
    assert len(made.y) == 11
    told = [finding.what for finding in describe_table(table, "school", "y").findings]
    assert "1 row without a task id will be left out." in told
    words = table.assign(school=table["school"].map(lambda g: g if g == "NA" else f"s{g}"))
    assert "NA" in make_task_table(words, "school", "y").sizes


def test_single_rows_stay(table):
    table.loc[0, "school"] = 99
    assert make_task_table(table, "school", "y").sizes[99] == 1


def test_tasks_whose_target_is_constant_are_noted(table):
    table.loc[:3, "y"] = 1.0
    notes = make_task_table(table, "school", "y").notes
    assert any(note.startswith("1 task ('3') holds a constant target") for note in notes)
    table["z"] = (table["y"] > 0).astype(int).where(table["school"] != 2, 1)
    notes = make_task_table(table, "school", "z", features=["x"]).notes
    assert any(note.startswith("2 tasks ('2', '3') hold a single class") for note in notes)


def test_two_missing_roles_in_one_table():
    table = pd.DataFrame({"task": ["a", None, "a", "b"], "prediction": [1.0, 2, 3, 4], "x": 1.0})
    made = make_task_table(table, "task", "prediction")
    assert made.sizes.to_dict() == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("change", "arguments", "argument", "words"),
    [
        ({}, {"task": "shcool"}, "task", "Did you mean 'school'"),
        ({}, {"task": "SCHOOL"}, "task", "Did you mean 'school'"),
        ({}, {"target": "zzz"}, "target", "Its columns are"),
        ({}, {"target": "school"}, "target", "another column than the task"),
        ({}, {"features": ["school", "x"]}, "features", "contain the task"),
        ({}, {"features": ["y"]}, "features", "contain the target"),
        ({}, {"features": ["born"]}, None, "holds dates"),
        ({}, {"features": ["void"]}, "features", "leave a column"),
        ({}, {"target": "born"}, "target", "holds dates"),
        ({}, {"target": "void"}, "target", "empty in every row"),
        ({}, {"task": "void"}, "task", "empty in every row"),
        ({}, {"task": "name"}, "task", "values repeat"),
        ({}, {"target": "name"}, "target", "12 of text"),
        ({}, {"kind": "classification"}, "target", "at most 6 distinct values"),
        ({}, {"target": "color", "kind": "regression"}, "target", "numeric"),
        ({"y": 1.0}, {}, "target", "must vary"),
        ({"y": ["1", "2", "x"] * 4}, {}, "target", "'x' in row 3"),
        ({"y": [np.inf, *range(11)]}, {}, None, "row 1 holds inf"),
        ({"y": [np.inf, *[1.0] * 11]}, {}, None, "row 1 holds inf"),
        ({"x": ["1", "2", "3", "bad"] * 3}, {}, None, "'bad' in row 4"),
        ({"color=red": 1.0}, {}, None, "'color=red' would also be made from 'color'"),
    ],
)
def test_refusals(table, change, arguments, argument, words):
    chosen = {"task": "school", "target": "y", **arguments}
    with pytest.raises(TableError) as caught:
        make_task_table(table.assign(**change), chosen.pop("task"), chosen.pop("target"), **chosen)
    assert caught.value.argument == argument
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_differ_in_unicode_composition(table):
    table = table.rename(columns={"x": "gro\u0308ße"})
    assert make_task_table(table, "school", "y", features=["gr\u00f6ße"]).numeric == (
        "gro\u0308ße",
    )


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1], (0, 1)),
        ([0.0, 1.0, 0.0], (0, 1)),
        ([1, 2, 1], (1, 2)),
        (["no", "yes", "no"], ("no", "yes")),
        ([True, False, True], (False, True)),
        (np.array([True, False, True], dtype=object), (False, True)),
        (["0", "1", "1"], ("0", "1")),
        (pd.Categorical(["b", "a", "a"]), ("a", "b")),
    ],
)
def test_two_values_make_a_classification(values, classes):
    found = read_target(pd.Series(values, name="y"))
    assert found.kind == "classification"
    assert found.classes == classes
    assert set(found.y) == set(classes)


def test_two_values_with_fractions_are_measurements():
    values = pd.Series([0.5, 1.5, 0.5], name="y")
    assert read_target(values).kind == "regression"
    asked = read_target(values, "classification")
    assert asked.y.tolist() == ["0.5", "1.5", "0.5"]
    assert asked.classes == ("0.5", "1.5")


def test_regression_on_two_values_on_request():
    found = read_target(pd.Series([True, False, True], name="y"), "regression")
    assert found.y.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("values", "ids", "form"),
    [
        ([1, 2, 1], [1, 2, 1], "integer"),
        ([1.0, 2.0, 1.0], [1, 2, 1], "integer"),
        (["1", "2.0", "1"], [1, 2, 1], "integer"),
        (["01", "1", "01"], ["01", "1", "01"], "text"),
        (["a,b", "c", "a,b"], ["a,b", "c", "a,b"], "text"),
        ([True, False, True], ["True", "False", "True"], "text"),
        (pd.Categorical([7, 8, 7]), [7, 8, 7], "integer"),
        (pd.to_datetime(["2020-01-01"] * 2), ["2020-01-01"] * 2, "text"),
        ([2**59, 1, 1], [2**59, 1, 1], "integer"),
        ([10**19, 1, 1], [str(10**19), "1", "1"], "text"),
    ],
)
def test_ids(values, ids, form):
    found, found_form, notes = read_ids(pd.Series(values, name="task"))
    assert found.tolist() == ids
    assert found_form == form
    assert notes == ()


@pytest.mark.parametrize("values", [["1", None, "2"], ["a", None, "b"], [1.0, np.nan, 2.0]])
def test_no_id_is_made_up(values):
    with pytest.raises(TableError, match="'site' holds none in 1 of 3 rows"):
        read_ids(pd.Series(values, name="site"))


def test_ids_that_look_like_measurements():
    ids, form, notes = read_ids(pd.Series([1.5, 2.0, 2.5], name="task"))
    assert ids.tolist() == ["1.5", "2", "2.5"]
    assert form == "text"
    assert "looks like a measurement" in notes[0]


def test_new_ids_take_the_form_of_the_old_ones():
    new = pd.Series(["1", "2.0", "x", None, "77"])
    assert match_ids(new, "integer", [1, 2]).tolist() == [1, 2, 0, 0, 77]
    assert match_ids(pd.Series([1, 2.0, None]), "text", ["1"]).tolist()[:2] == ["1", "2"]
