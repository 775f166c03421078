"""The same table by every door: CSV, Parquet in memory, Parquet that is passed over."""

import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polytask.cli import main
from polytask.sources.runners import make_runner
from polytask.tables import TableError, make_task_pipeline, make_task_table, read_table
from polytask.tables.stream_table import make_stream_table


def shops():
    rng = np.random.default_rng(3)
    n = 240
    table = pd.DataFrame(
        {
            "rownames": range(1, n + 1),
            "shop": rng.choice(["NA", "None", "null", "b", "c"], n),
            "area": rng.integers(30, 900, n) / 4,
            "staff": rng.integers(1, 9, n),
            "kind": rng.choice(["NA", "north", "south"], n),
            "day": 20260101 + rng.integers(0, 27, n),
            "open": rng.choice(["TRUE", "False", "NA"], n),
            "nothing": "NA",
            "written": [str(v) for v in rng.integers(0, 50, n) / 2],
        }
    )
    sales = 0.1 * table["area"] + 5 * (table["kind"] == "north") + rng.normal(size=n)
    table["sales"] = (100 * sales).round() / 100
    table.loc[::17, "area"] = np.nan
    return table


def as_decimals(values):
    return [None if np.isnan(v) else decimal.Decimal(str(v)) for v in values]


def write(table, path):
    made = pa.Table.from_pandas(table, preserve_index=False)
    for name in ("area", "sales"):
        at = made.schema.get_field_index(name)
        stored = pa.array(as_decimals(table[name]), pa.decimal128(20, 6))
        made = made.set_column(at, name, stored)
    pq.write_table(made, path)


@pytest.fixture
def doors(tmp_path):
    table = shops()
    table.to_csv(tmp_path / "t.csv", index=False)
    write(table, tmp_path / "t.parquet")
    return tmp_path


def predictions(place, table, *more, model="mean-regularized"):
    base = ["--task", "shop", "--target", "sales"]
    out = str(place / "m.skops")
    assert main(["fit", str(place / table), *base, "--model", model, "--out", out, *more]) == 0
    made = str(place / "p.csv")
    words = ["predict", out, str(place / "t.csv"), "--out", made, "--unseen", "common"]
    assert main(words) == 0
    return pd.read_csv(made, keep_default_na=False)["prediction"].to_numpy()


def test_predictions_are_the_same_by_every_door(doors, capsys):
    csv = predictions(doors, "t.csv")
    np.testing.assert_allclose(predictions(doors, "t.parquet"), csv, rtol=1e-10)
    streamed = predictions(doors, "t.parquet", "--stream")  # with strengths by folds
    assert np.abs(streamed - csv).max() < 0.1 * shops()["sales"].std()
    told = capsys.readouterr().out
    assert told.count("'rownames' was left out: it counts the rows") == 3
    assert told.count("'nothing' was left out: it holds no value") == 3
    assert told.count("'day' was left out: it holds days written as numbers") == 3


def test_the_columns_that_models_see_are_the_same_by_every_door(doors):
    table, _ = read_table(doors / "t.csv", as_text=lambda name: name == "shop")
    ready = make_task_table(table, "shop", "sales")
    pipeline = make_task_pipeline(None, "shop", ready.numeric, ready.categorical)
    prepare = pipeline[0].fit(ready.X)
    streamed = make_stream_table(
        doors / "t.parquet", "shop", "sales", runner=make_runner(None, None)
    )
    again = streamed.source.prepare
    assert again.levels_ == prepare.levels_
    assert again.numbers_.keys() == prepare.numbers_.keys()
    for name, found in again.numbers_.items():
        np.testing.assert_allclose(found, prepare.numbers_[name], rtol=1e-12)
    assert streamed.task_ids == ready.task_ids
    assert streamed.seen == ready.seen


def test_ids_that_look_like_gaps_are_tasks_by_every_door(doors, capsys):
    for more in (["t.csv"], ["t.parquet"], ["t.parquet", "--stream"]):
        predictions(doors, *more)
        assert "240 rows of 5 tasks" in " ".join(capsys.readouterr().out.split())


def test_marks_that_mean_a_gap_by_every_door(doors, capsys):
    for more in (["t.csv"], ["t.parquet"], ["t.parquet", "--stream"]):
        predictions(doors, *more, "--missing", "null,7.5")
        told = " ".join(capsys.readouterr().out.split())
        assert "rows of 4 tasks" in told
        assert "'area'" in told  # gaps are told


def as_stored(table, path):
    table.to_parquet(path)
    return make_stream_table(path, "shop", "sales", runner=make_runner(None, None))


def look(table, path, **more):
    write(table, path)
    return make_stream_table(path, "shop", "sales", runner=make_runner(None, None), **more)


WIDE = {46: 0xFF0E, **{48 + k: 0xFF10 + k for k in range(10)}}
WRITTEN = {  # how a number of any sign is written, and which mark that asks for
    "true minus": lambda v: f"{v:.2f}".replace("-", "−"),
    "apostrophes": lambda v: f"{v:,.2f}".replace(",", "'"),
    "no-break blanks": lambda v: f"{v:,.2f}".replace(",", "\u00a0"),
    "narrow blanks": lambda v: f"{v:,.2f}".replace(",", "\u202f"),
    "the US way": lambda v: f"{v:,.2f}",
    "commas": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "euros": lambda v: f"{v:.2f} €",
    "dollars": lambda v: f"{v:,.2f}".replace("-", "") + " $" if v >= 0 else f"-{-v:,.2f} $",
    "percent": lambda v: f"{v:.2f}%",
    "square metres": lambda v: f"{v:.2f} m²",
    "minus behind": lambda v: f"{abs(v):.2f}" + "-" * (v < 0),
    "brackets": lambda v: f"{v:.2f}" if v >= 0 else f"({-v:.2f})",
    "wide digits": lambda v: f"{v:.2f}".translate(WIDE),
    "plus": lambda v: f"{v:+.2f}",
    "powers": lambda v: f"{v:.4e}",
}  # fmt: skip


@pytest.mark.parametrize("role", ["a feature", "the target"])
@pytest.mark.parametrize("way", WRITTEN)
def test_numbers_that_people_write_are_streamed_as_in_memory(tmp_path, way, role):
    rng = np.random.default_rng(2)
    v = np.round(rng.uniform(-5000, 5000, 60), 2)
    written = [WRITTEN[way](float(x)) for x in v]
    written[7] = "n/a" if role == "a feature" else written[7]
    name, other = ("area", "sales") if role == "a feature" else ("sales", "area")
    table = pd.DataFrame({"shop": list("abc") * 20, name: written, other: rng.normal(size=60)})
    found = as_stored(table, tmp_path / "t.parquet")
    whole, _ = read_table(tmp_path / "t.parquet", as_text=lambda n: n == "shop")
    streamed = pd.concat(
        batch.to_pandas() for part in found.source.partitions
        for batch in found.source.tables(part, ["area"])
    )  # fmt: skip
    np.testing.assert_array_equal(streamed[name], whole[name])
    truth = np.where(np.arange(60) == 7, np.nan, v) if role == "a feature" else v
    np.testing.assert_allclose(streamed[name], truth, rtol=1e-4)
    assert found.seen["area"].unit == (whole_unit(written) if role == "a feature" else "")


def whole_unit(written):
    return next((u for u in ("€", "$", "%", "m²") if written[0].endswith(u)), "")


def test_numbers_as_text_that_nobody_can_read_are_refused(tmp_path):
    table = shops()
    table.loc[2, "written"] = "?"
    with pytest.raises(TableError, match=r"'written' must be numeric .* '\?' in row 3"):
        look(table, tmp_path / "t.parquet")


@pytest.mark.parametrize("late", ["12 €", "1,5", "2.345,5", "5p", "½", "x"])
def test_further_rows_that_are_written_otherwise_are_refused(tmp_path, monkeypatch, late):
    monkeypatch.setattr("polytask.tables.first_rows.MOST_ROWS", 40)
    table = pd.DataFrame({"shop": list("abc") * 20, "sales": np.arange(60.0)})
    table["area"] = [f"{1000 * k + 7:,}.5" for k in range(1, 61)]
    assert as_stored(table, tmp_path / "t.parquet").numeric == ("area",)
    table.loc[50, "area"] = late
    with pytest.raises(
        TableError, match=r"'area' must hold numbers as in its first rows, with '\.'"
    ):
        as_stored(table, tmp_path / "t.parquet")


@pytest.mark.parametrize("ids", [["0.0", "1.0", "2"], ["1.000", "01", "1"]])
def test_ids_of_text_are_those_of_the_table_in_memory(tmp_path, ids):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"t": ids * 20, "x": rng.normal(size=60), "y": rng.normal(size=60)})
    table.to_parquet(tmp_path / "t.parquet")
    held = make_task_table(table, "t", "y")
    passed = make_stream_table(tmp_path / "t.parquet", "t", "y", runner=make_runner(None, None))
    assert sorted(map(str, passed.task_ids)) == sorted(map(str, held.task_ids))


def test_a_task_of_every_row_is_refused_by_both_doors(tmp_path):
    table = pd.DataFrame({"t": [f"a{k}" for k in range(40)], "x": np.arange(40.0) ** 2 % 7,
                          "y": np.arange(40.0) % 5})  # fmt: skip
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match="whose values repeat"):
        make_task_table(table, "t", "y")
    with pytest.raises(TableError, match="whose values repeat"):
        make_stream_table(tmp_path / "t.parquet", "t", "y", runner=make_runner(None, None))
