"""What the command does with a column of weights."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.cli.saved_model import load_model
from polytask.tables import describe_table, make_task_table

ASKED = ["--task", "shop", "--target", "y"]


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """Rows that are means of 1 to 9 sales; every seventh has weight zero and a wild target."""
    rng = np.random.default_rng(3)
    shop = np.repeat(np.arange(12), 15)
    table = pd.DataFrame({"a": rng.normal(size=180), "shop": shop})
    table["sales"] = rng.integers(1, 10, 180) * (np.arange(180) % 7 > 0)
    noise = rng.normal(size=180) / np.sqrt(np.maximum(table["sales"], 1))
    table["y"] = table["a"] + rng.normal(size=12)[shop] + noise
    table.loc[table["sales"] == 0, "y"] = 1000.0
    table["client"] = [f"c{i}" for i in np.arange(180) // 3]
    table["none"], table["minus"] = "", 1.0
    table.loc[4, "minus"] = -1.0
    path = tmp_path_factory.mktemp("shops") / "shops.csv"
    table.to_csv(path, index=False)
    return path


def test_compare_counts_rows_by_their_weights(polytask, shops):
    out = shops.with_name("report")
    words = ["--models", "single-task,pooled", "--features", "a", "--cv", "3"]
    answer = polytask(
        "compare", shops, *ASKED, *words, "--weights", "sales", "--groups", "client", "--out", out
    )
    assert answer.code == 0, answer.err
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found["verdict"]["text"].endswith("Losses are weighted means.")
    assert "26 rows of weight zero ('sales') left out." in found["notes"]
    assert found["data"]["features"] == 1
    assert found["data"]["rows"] == 154
    best = min(model["metric"] for model in found["models"])
    assert best < 1.0  # the wild rows neither train nor judge
    assert any("relatedness" in note and "weights" in note for note in found["notes"])


def test_fit_is_told_as_well(polytask, shops):
    out = shops.with_suffix(".skops")
    words = ["--model", "pooled", "--features", "a", "--weights", "sales"]
    answer = polytask("fit", shops, *ASKED, *words, "--out", out)
    assert answer.code == 0, answer.err
    _model, card = load_model(out)
    assert set(card.columns) == {"a", "shop"}
    table = pd.read_csv(shops).query("sales > 0")
    A = np.column_stack([table["a"], np.ones(len(table))])
    share = table["sales"] / table.groupby("shop")["sales"].transform("sum")
    root = np.sqrt(share)
    slope = np.linalg.lstsq(A * root.to_numpy()[:, None], table["y"] * root, rcond=None)[0][0]
    seen = polytask("predict", out, shops, "--out", shops.with_name("seen.csv"))
    assert seen.code == 0, seen.err
    told = pd.read_csv(shops.with_name("seen.csv"))["prediction"]
    got = np.polyfit(pd.read_csv(shops)["a"], told, 1)[0]
    np.testing.assert_allclose(got, slope, rtol=0.02)  # of pooled with a strength of its choice


def test_the_column_is_no_feature(shops):
    table = pd.read_csv(shops)
    found = describe_table(table, "shop", "y", weights="sales")
    assert found.rows_used == 154
    assert "sales" not in set(found.columns["name"])
    ready = make_task_table(table, "shop", "y", weights="sales", features=["a", "sales"])
    assert ready.features == ("a", "sales")
    assert (ready.weights > 0).all()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--weights", "nothing"], "--weights must name a column"),
        (["--weights", "shop"], "--weights must be another column than the task"),
        (["--weights", "client"], "--weights must hold numbers"),
        (["--weights", "minus"], "--weights must be zero or positive; 'minus' is -1"),
        (["--weights", "none"], "--weights must have a value in every row"),
    ],
)
def test_what_is_no_weight_is_one_clear_line(polytask, shops, words, told):
    answer = polytask("fit", shops, *ASKED, "--model", "pooled", "--features", "a", *words,
                      "--out", shops.with_name("m.skops"))  # fmt: skip
    assert answer.code == 2
    assert told in answer.err
