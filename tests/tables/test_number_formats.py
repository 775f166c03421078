"""What is read of a number equals what was written, in every format, or it is refused."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytask.tables import TableError, make_task_table, read_table
from polytask.tables.columns import inspect_column

TASKS = ["a", "b"]


def table_of(tmp_path, cells, separator=",", more=None, name="x", **how):
    """A file with these cells in a column ``name``, read; other columns in ``more``."""
    columns = {"shop": [TASKS[k % 2] for k in range(len(cells))], name: cells, **(more or {})}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path = tmp_path / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return read_table(path, as_text=lambda n: n == "shop", **how)


@st.composite
def formats(draw):
    """A way to write numbers: marks, sign, unit."""
    decimal = draw(st.sampled_from([".", ","]))
    others = ["", " ", "\u00a0", "\u202f", "'", "’", {".": ",", ",": "."}[decimal]]
    return {
        "decimal": decimal,
        "group": draw(st.sampled_from(others)),
        "places": draw(st.sampled_from([None, 0, 1, 2, 3, 4])),
        "minus": draw(st.sampled_from(["-{}", "−{}", "{}-", "({})", "- {}"])),
        "unit": draw(
            st.sampled_from(
                ["{}", "{} €", "€ {}", "${}", "{}%", "{} m²", "EUR {}", "{} kg", "{} Stück", " {} "]
            )
        ),
        "separator": draw(st.sampled_from([",", ";", "\t", "|"])),
    }


def write(value, form):
    """The number as this format writes it, and the number that then stands there."""
    places = form["places"]
    text = f"{abs(value):,.{places}f}" if places is not None else f"{abs(value):,.6f}".rstrip("0")
    text = text.rstrip(".") if places is None else text
    stands = float(text.replace(",", ""))
    text = text.replace(",", "g").replace(".", form["decimal"]).replace("g", form["group"])
    negative = value < 0 and stands != 0
    return form["unit"].format(form["minus"].format(text) if negative else text), (
        -stands if negative else stands
    )


numbers = st.lists(
    st.one_of(st.floats(-1e7, 1e7), st.integers(-(10**7), 10**7).map(float)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(numbers, formats())
def test_what_is_read_is_what_was_written_or_is_refused(tmp_path_factory, values, form):
    written = [write(value, form) for value in values]
    cells = [text for text, _ in written]
    tmp_path = tmp_path_factory.getbasetemp()
    table, notes = table_of(tmp_path, cells, form["separator"])
    made = table["x"]
    if pd.api.types.is_numeric_dtype(made.dtype):
        truth = np.array([number for _, number in written])
        # A file with commas between its fields has points before decimals: a convention, told.
        told = any("point was read as the decimal mark" in note for note in notes)
        thousand = told and form["decimal"] == "," and form["separator"] != ";"
        np.testing.assert_array_equal(made, truth / 1000 if thousand else truth)
    else:
        assert inspect_column(made).kind == "mixed"
        assert inspect_column(made).problem


@settings(max_examples=75, deadline=None)
@given(numbers, formats())
def test_nothing_is_refused_that_names_its_mark(tmp_path_factory, values, form):
    written = [write(value, form) for value in values]
    tmp_path = tmp_path_factory.getbasetemp()
    cells = [text for text, _ in written]
    table, _ = table_of(tmp_path, cells, form["separator"], decimal=form["decimal"])
    np.testing.assert_array_equal(table["x"], [number for _, number in written])


READ = {
    "thousands points beside decimals": (["1.045,15", "309,99", "7"], [1045.15, 309.99, 7]),
    "the US way": (["1,045.15", "309.99"], [1045.15, 309.99]),
    "euros": (["12 €", "3,50 €"], [12, 3.5]),
    "dollars": (["$3,462.43", "-$5.00", "($7)"], [3462.43, -5, -7]),
    "percent": (["10%", "2.5 %"], [10, 2.5]),
    "square metres": (["1045 m²", "12 m²"], [1045, 12]),
    "blanks": (["1 045", "12", "1 234 567"], [1045, 12, 1234567]),
    "Swiss": (["1'045.15", "3"], [1045.15, 3]),
    "Swiss prices": (["CHF 12.-", "CHF 3.50"], [12, 3.5]),
    "trailing minus": (["12-", "3"], [-12, 3]),
    "brackets": (["(12.5)", "3"], [-12.5, 3]),
    "lakh": (["12,34,567.5", "3"], [1234567.5, 3]),
    "other digits": (["٣", "٤٫٥"], [3, 4.5]),
    "exponents": (["1e3", "1.5E-2"], [1000, 0.015]),
    "exponents with a decimal comma": (["1,215e+04", "3"], [12150, 3]),
    "words for gaps": (["1.5", "NA", "null", "#N/A", "", "#DIV/0!"], [1.5, *[np.nan] * 5]),
    "whole in full": (["9007199254740993", "1"], [9007199254740993, 1]),
}


@pytest.mark.parametrize("name", READ)
def test_formats_that_are_read(tmp_path, name):
    cells, truth = READ[name]
    table, notes = table_of(tmp_path, cells)
    np.testing.assert_array_equal(table["x"], truth)
    table.assign(x=cells).to_parquet(tmp_path / "t.parquet")  # the same text by the other door
    again, told = read_table(tmp_path / "t.parquet")
    pd.testing.assert_series_equal(again["x"], table["x"])
    assert told == notes


REFUSED = {
    "two marks": (["1.5", "2,5"], ["'1.5' in row 1", "'2,5' in row 2"]),
    "nothing tells": (["1,234", "567"], ["'1,234' in row 1 is 1234 or 1.234", "--decimal"]),
    "points beside small ones": (["7.700", "656"], ["'7.700' in row 1 is 7.7 or 7700"]),
    "fractions": (["1/2", "3/4", "½"], ["fractions", "'1/2' in row 1"]),
    "units": (["500 g", "1.2 kg", "3 kg"], ["'500 g' in row 1", "one unit"]),
    "a share and a percentage": (["10%", "0.1"], ["no unit", "'10%' in row 1"]),
    "multiples": (["5k", "3M", "2M"], ["'5k' in row 1"]),
    "odd cells": (["1", "2", ".", "K", "7p", "4", "5", "K", "6"], [
        "in 4 of its 9 cells", "'K' in row 4 (2 times)", "'7p' in row 5", "--missing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_formats_that_are_refused(tmp_path, name):
    cells, words = REFUSED[name]
    more = {"y": [str(7 * k % 5) for k in range(len(cells))]}  # shows no mark
    table, _ = table_of(tmp_path, cells, more=more)
    with pytest.raises(TableError) as caught:
        make_task_table(table, "shop", "y", features=["x"])
    for word in ("'x'", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "form",
    ["~{}", "±{}", "{}*", "'{}", '="{}"', "1_{}", "{} ct", "<{}", ".{}D+03", "-1.{}d2"],
    ids=str,
)
def test_numbers_beside_signs_are_no_ids(tmp_path, form):
    cells = [form.format(137 * k) for k in range(1, 61)]
    cells[7] = cells[7].replace("ct", "fl")
    column = inspect_column(table_of(tmp_path, cells)[0]["x"])
    assert column.kind == "mixed"
    assert "something beside them" in column.problem


LABELS = {
    "classes of a school": ["5a", "5b", "6a", "6a"] * 3,
    "codes": ["007", "010", "007"] * 3,
    "age bands": ["18-25", "26-35", "65+"] * 3,
    "ranks": ["1st", "2nd", "3rd"] * 3,
    "sizes": ["S", "M", "2XL"] * 3,
    "versions": ["1.2.3", "1.2.4", "1.2.3"] * 3,
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_with_digits_stay_labels(tmp_path, name):
    table, _ = table_of(tmp_path, LABELS[name])
    assert table["x"].tolist() == LABELS[name]
    assert inspect_column(table["x"]).kind == "categorical"


def test_the_file_tells_what_a_column_does_not(tmp_path):
    more = {"sales": ["2,5", "1,75", "3,25"]}
    table, notes = table_of(tmp_path, ["7.700", "656", "1.045"], ";", more)
    assert table["x"].tolist() == [7700, 656, 1045]
    assert table["sales"].tolist() == [2.5, 1.75, 3.25]
    assert "'7.700' is 7700" in " ".join(notes)
    english = {"sales": ["2.5", "1.75", "3.25"]}
    assert table_of(tmp_path, ["7.700", "656", "1.045"], ",", english)[0]["x"].tolist() == [
        7.7, 656, 1.045]  # fmt: skip
    assert table_of(tmp_path, ["7,700", "656"], ",", {"s": ["0.5", "2"]})[0]["x"].tolist() == [
        7700, 656]  # fmt: skip


def test_marks_that_mean_a_gap(tmp_path):
    cells = ["1.5", ".", "K", "-999"]
    table, _ = table_of(tmp_path, cells, missing=[".", "K", "-999"])
    np.testing.assert_array_equal(table["x"], [1.5, np.nan, np.nan, np.nan])
    pd.DataFrame({"x": [1.5, -999.0], "t": ["K", "a"]}).to_parquet(tmp_path / "t.parquet")
    again, _ = read_table(tmp_path / "t.parquet", missing=["K", "-999"])
    assert again["x"].isna().tolist() == [False, True]
    assert again["t"].isna().tolist() == [True, False]


def test_the_mark_that_was_named_gives_way_to_the_one_that_is_shown(tmp_path):
    table, notes = table_of(tmp_path, ["1.5", "7.700"], decimal=",")
    assert table["x"].tolist() == [1.5, 7.7]
    assert "In spite of --decimal" in " ".join(notes)
    with pytest.raises(TableError, match="decimal must be"):
        table_of(tmp_path, ["1"], decimal=";")


def test_a_first_line_that_names_the_separator(tmp_path):
    (tmp_path / "t.csv").write_text("sep=;\na;b\n1,5;2\n2;3\n")
    table, notes = read_table(tmp_path / "t.csv")
    assert table.to_dict("list") == {"a": [1.5, 2.0], "b": [2, 3]}
    assert "first line" in notes[0]


def test_ids_that_look_like_gaps_are_ids(tmp_path):
    cells = ["1.5", "2.5", "3.5", "4.5"]
    for name, ids in {"NA": ["NA", "b"], "None": ["None", "b"], "null": ["null", ""]}.items():
        path = tmp_path / "t.csv"
        lines = "".join(f"{ids[k % 2]},{c}\n" for k, c in enumerate(cells))
        path.write_text("t,y\n" + lines)
        table, _ = read_table(path, as_text=lambda n: n == "t")
        assert table["t"].tolist()[0] == name
        assert table["t"].isna().sum() == 2 * (ids[1] == "")


@pytest.mark.parametrize("wide", ["０．２５", "－１，０４５．２５", "＋３"])
def test_wide_digits_and_marks_are_numbers(wide):
    cells = pd.Series([wide] + ["０．７５", "１２．５"] * 5)
    assert inspect_column(cells.rename("x")).kind == "numeric"


@pytest.mark.parametrize("cell", ["0.{k}±0.1", "{k}.5 +/- 0.2"])
def test_a_number_with_its_error_is_refused_and_no_id(cell):
    column = inspect_column(pd.Series([cell.format(k=k) for k in range(40)], name="x"))
    assert column.kind == "mixed"
    assert "pairs of numbers" in column.problem
