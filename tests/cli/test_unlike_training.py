"""What a table to predict for holds that training had not is counted, and refused on request."""

import datetime
import shutil

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def fitted(polytask, tmp_path_factory):
    """A model of a table with a brand, a price in euros, a truth value and a number."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "shop": np.repeat(list("abcd"), 40),
            "brand": rng.choice(["A", "B"], 160),
            "price": [f"{v:.2f} €" for v in rng.uniform(1, 9, 160)],
            "open": rng.choice([True, False], 160),
            "x": rng.normal(size=160),
            "holey": np.where(rng.random(160) < 0.2, np.nan, rng.normal(size=160)),
        }
    )
    table["y"] = (table["brand"] == "B") * 10 + rng.normal(size=160)
    place = tmp_path_factory.mktemp("shops")
    table.to_csv(place / "t.csv", index=False)
    done = polytask("fit", place / "t.csv", "--task", "shop", "--target", "y",
                    "--out", place / "m.skops")  # fmt: skip
    assert done.code == 0, done.err
    return table, place


@pytest.fixture
def shops(fitted, tmp_path):
    """The table and a folder of the test's own, with the table's file and the model."""
    table, place = fitted
    for name in ("t.csv", "m.skops"):
        shutil.copy(place / name, tmp_path)
    return table, tmp_path


@pytest.fixture
def predict(polytask, shops):
    def run(table, *more):
        place = shops[1]
        path = place / "new.parquet"
        table.to_parquet(path)
        return polytask("predict", place / "m.skops", path, "--out", place / "p.csv", *more)

    return run


def told(answer):
    return " ".join(answer.out.split())


def test_a_table_like_that_of_training_is_predicted_without_a_word(shops, predict):
    table = shops[0].assign(holey=1.0)
    done = predict(table, "--strict")
    assert done.code == 0, done.err
    assert "Units were left off" in done.out
    assert "gap" not in done.out
    assert "not in training" in done.out  # "0 rows of tasks that were not in training"


SLOW = ("auto", "lasso", "low-rank", "mean-regularized", "multilevel", "pooled",
        "shared-hidden-layer", "survival", "task-intercept")  # fmt: skip


@pytest.mark.parametrize(
    "model",
    ["gradient-boosting", "shared-trees", "curved", "single-task",
     *(pytest.param(model, marks=pytest.mark.slow) for model in SLOW)],
)  # fmt: skip
def test_every_kind_of_model_counts_what_is_new_wherever_categories_stand(
    polytask, shops, predict, model
):
    table, place = shops
    table.assign(y=np.exp(table["y"] / 5), seen=table["x"] > -1).to_csv(place / "e.csv")
    words = ["--task", "shop", "--target", "y", "--out", place / "m.skops", "--features",
             "brand,price,open,x,holey", "--model"]  # fmt: skip
    words += ["mean-regularized", "--event", "seen"] if model == "survival" else [model]
    assert polytask("fit", place / ("e.csv" if model == "survival" else "t.csv"), *words).code == 0
    assert predict(table).code == 0
    new = table.head(3).assign(brand=["A", "Z", None])
    new.to_csv(place / "new.csv", index=False)
    for answer in (
        predict(new),
        polytask("predict", place / "m.skops", place / "new.csv", "--out", place / "p.csv"),
    ):
        assert (answer.code, answer.err) == (0, "")
        assert "1 row holds a category of 'brand' that was not in training ('Z')" in told(answer)
        assert "1 gap in 'brand', where training had none" in told(answer)
    assert predict(new, "--strict").code == 2
    dated = predict(new.assign(x=pd.Timestamp("2020-01-01")))
    assert (dated.code, dated.err.count("\n")) == (2, 1)
    assert "column 'x' must be numeric; it holds dates" in dated.err


def test_unknown_categories_and_gaps_are_counted_and_named(shops, predict):
    new = (
        shops[0]
        .head(4)
        .assign(
            brand=["A", "B", "b", None], x=[0.0, 0.0, 0.0, np.nan], holey=[1.0, np.nan, np.nan, 1.0]
        )
    )
    done = predict(new)
    assert done.code == 0, done.err
    for words in (
        "1 row holds a category of 'brand' that was not in training ('b')",
        "1 gap in 'brand', where training had none: predicted as no known category",
        "1 gap in 'x', where training had none: filled",
        "2 gaps in 'holey': filled",
    ):
        assert words in told(done)
    strict = predict(new, "--strict")
    assert strict.code == 2
    assert strict.err.count("\n") == 1
    assert "because of --strict" in strict.err
    assert "('b')" in strict.err


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("x", [datetime.datetime(2020, 1, 1)] * 4, "column 'x' must be numeric; it holds dates"),
        ("x", [datetime.date(2020, 1, 1)] * 4, "column 'x' must be numeric; it holds dates"),
        ("x", [datetime.timedelta(seconds=5)] * 4, "column 'x' must be numeric; it holds dates"),
        ("x", [[1.0]] * 4, "column 'x' must be numeric; it holds nested values"),
        ("x", list("abcd"), "column 'x' must be numeric; it holds text"),
        ("x", ["1 kg"] * 4, "it holds numbers with 'kg', and the model was fitted on numbers with"),
        ("price", ["1 $"] * 4, "it holds numbers with '$', and the model was fitted on numbers w"),
        ("price", [1.5] * 4, "it holds numbers without a unit, and the model was fitted on"),
        ("open", [1, 0, 2, 7], "column 'open' must hold true and false as in training"),
    ],
)
def test_another_kind_than_in_training_is_refused(shops, predict, column, values, words):
    done = predict(shops[0].head(4).assign(**{column: values}))
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (shops[1] / "p.csv").exists()


def test_true_and_false_where_training_had_numbers_are_told(shops, predict):
    done = predict(shops[0].head(4).assign(x=[True, False, True, True]))
    assert done.code == 0
    assert "'x' holds true and false where training had numbers" in told(done)


def test_marks_that_were_gaps_in_training_are_gaps_again(polytask, shops):
    table, place = shops
    table = table.assign(x=table["x"].where(np.arange(160) % 5 > 0, -999))
    table.to_csv(place / "m.csv", index=False)
    base = ["--task", "shop", "--target", "y", "--out", place / "m2.skops"]
    assert polytask("fit", place / "m.csv", *base, "--missing=-999,.").code == 0
    done = polytask("predict", place / "m2.skops", place / "m.csv", "--out", place / "p.csv")
    assert "32 gaps in 'x': filled" in told(done)


def test_a_pooled_model_needs_no_leave_for_new_tasks(polytask, shops):
    table, place = shops
    base = ["--task", "shop", "--target", "y", "--model", "pooled", "--out", place / "m3.skops"]
    assert polytask("fit", place / "t.csv", *base).code == 0
    table.assign(shop="new").to_csv(place / "n.csv", index=False)
    done = polytask("predict", place / "m3.skops", place / "n.csv", "--out", place / "p.csv")
    assert done.code == 0, done.err
    assert "160 rows of tasks that were not in training" in told(done)
