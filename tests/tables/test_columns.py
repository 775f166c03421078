"""Kinds of columns, and what becomes of their values."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from polytask.tables import TableError, inspect_column
from polytask.tables.columns import as_feature, as_labels

KINDS = {
    "numeric": [
        [1, 2, 3],
        [1.5, None, 2],
        ["1", "2.5", None],
        [1, 2, "n/a"],
        ["3,14", "2,5"],
        ["1,234", "5,678.9"],
        ["12 €", "3,50 €"],
        [decimal.Decimal("1.5"), decimal.Decimal(2)],
        pd.array([1, None], dtype="Int8"),
        np.array([1, 2], dtype=np.uint8),
    ],
    "boolean": [[True, False], [True, None, False], pd.array([True, None], dtype="boolean")],
    "categorical": [
        ["a", "b", "a"],
        ["yes", "no", None],
        ["007", "010", "007"],
        pd.Categorical([1, 2, 1]),
        ["K", "1", "K", "2", "K"],
    ],
    "date": [
        ["2020-01-31", "2021-02-01"],
        ["31.1.2020", "1.2.2021"],
        ["2020-01-31T10:00", None],
        pd.to_datetime(["2020-01-31", None]),
        [datetime.date(2020, 1, 31)],
        pd.to_timedelta([1, 2], unit="s"),
    ],
    "id": [["a", "b", "c"], [f"p{i % 60}" for i in range(100)]],
    "empty": [[None, None], [np.nan]],
    "mixed": [["1", "2", "x"], [1, 2, "?"], ["3,14", "2.5"], ["1,234", "567"], ["1/2", "3/4"]],
    "nested": [[[1, 2], [3]], [{"a": 1}], [1j, 2j], [b"x"]],
}


@pytest.mark.parametrize(
    ("kind", "values"), [(kind, values) for kind, many in KINDS.items() for values in many]
)
def test_kinds(kind, values):
    assert inspect_column(pd.Series(values, name="x")).kind == kind


def test_mixed_names_the_first_value_and_its_row():
    column = inspect_column(pd.Series(["1", None, "2", "n/a!", "?", "4", "5"], name="x"))
    assert "in 2 of its 6 cells: 'n/a!' in row 4, '?' in row 5" in column.problem
    assert "--missing" in column.remedy


def test_row_counters_are_ids():
    run = np.arange(1, 11)
    for name in ("Unnamed: 0", "", "rownames", "row_id", "index", "...1", "patientId"):
        assert inspect_column(pd.Series(run, name=name)).kind == "id"
        assert inspect_column(pd.Series(run[::-1] * 2, name=name)).kind == "id"
    assert inspect_column(pd.Series(run, name="dose")).kind == "id"  # n rows, 1 … n in their order
    assert inspect_column(pd.Series(run[::-1], name="dose")).kind == "numeric"
    assert inspect_column(pd.Series(run + 100, name="year")).kind == "numeric"
    assert inspect_column(pd.Series(run % 4, name="row_id")).kind == "numeric"


@pytest.mark.parametrize(
    "steps", [np.arange(80) * 10, np.arange(80, 0, -1), np.arange(1000, 1080), np.arange(80) + 0.0]
)
def test_the_same_step_from_row_to_row_counts_the_rows(steps):
    """Under any name: times ten, from the end, from a thousand."""
    column = inspect_column(pd.Series(steps, name="k"))
    assert (column.kind, column.problem) == ("id", "counts the rows")
    assert inspect_column(pd.Series(np.arange(80) * 0.5, name="k")).kind == "numeric"
    assert inspect_column(pd.Series(np.r_[0, steps[1:]] * 7 % 23, name="k")).kind == "numeric"


def test_a_row_counter_stays_one_where_rows_lack_a_target():
    some = pd.Series(np.arange(1, 201), name="x").drop([3, 50, 51, 120])
    assert inspect_column(some, n_rows=200).kind == "id"
    assert inspect_column(some.astype(float), n_rows=200).kind == "id"


def test_counts():
    column = inspect_column(pd.Series(["a", None, "b", "a"], name="x"))
    assert (column.missing, column.distinct) == (1, 2)


def test_labels_are_the_same_text_for_the_same_value():
    for values in ([1, 2], [1.0, 2.0], ["1", "2"], pd.Categorical([1, 2])):
        assert as_labels(pd.Series(values)).tolist() == ["1", "2"]
    assert as_labels(pd.to_datetime(pd.Series(["2020-01-01"]))).tolist() == ["2020-01-01"]
    assert as_labels(pd.Series(["a", None])).isna().tolist() == [False, True]


def test_numbers_become_floats():
    for values in ([True, False, None], pd.array([1, 0, None], dtype="Int8"), ["1", "0", None]):
        made = as_feature(pd.Series(values), "numeric")
        np.testing.assert_array_equal(made, [1.0, 0.0, np.nan])
        assert made.dtype == float


def test_text_and_infinity_are_refused_with_row():
    with pytest.raises(TableError, match=r"'x' must be numeric; .* 'b' in row 2"):
        as_feature(pd.Series(["1", "b"], name="x"), "numeric")
    with pytest.raises(TableError, match=r"'x' must be finite, .*; row 2 holds inf"):
        as_feature(pd.Series([1.0, np.inf], name="x"), "numeric")
