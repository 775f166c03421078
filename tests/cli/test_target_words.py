"""--scale-target and --transform, and what points to them."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.tables import describe_table
from tests.models.test_scaled_target import assays

MODELS = ["--models", "single-task,mean-regularized"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    X, y, _, _ = assays(1)
    path = tmp_path_factory.mktemp("units") / "assays.csv"
    X.assign(y=y, price=np.exp(1.2 * y / np.abs(y).max() * 3)).to_csv(path, index=False)
    return path


def test_tasks_in_units_of_their_own(polytask, table):
    out = table.parent / "report"
    words = ["--task", "assay", "--target", "y", "--features", "a,b,c,d", *MODELS]
    answer = polytask("compare", table, *words, "--scale-target", "task", "--metric", "nmse",
                      "--out", out)  # fmt: skip
    assert answer.code == 0, answer.err
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found["verdict"]["label"] == "joint-helps"
    roles = {m["name"]: m["role"] for m in found["models"]}
    assert (roles["single-task"], roles["mean-regularized"]) == ("baseline", "joint")
    answer = polytask("predict", out / "model.skops", table, "--out", out / "found.csv")
    assert answer.code == 0, answer.err
    error = pd.read_csv(out / "found.csv").eval("prediction - y").groupby(pd.read_csv(table).assay)
    spread = pd.read_csv(table).groupby("assay")["y"].std()
    assert (error.std() / spread).max() < 1.0  # of every assay, whatever its unit


def test_a_logarithm_is_fitted_and_predicted(polytask, table):
    words = ["--task", "assay", "--target", "price", "--features", "a,b,c,d"]
    model = table.with_name("model.skops")
    answer = polytask("fit", table, *words, "--transform", "log", "--out", model)
    assert answer.code == 0, answer.err
    answer = polytask("predict", model, table, "--out", table.with_name("found.csv"))
    assert answer.code == 0, answer.err
    found = pd.read_csv(table.with_name("found.csv"))
    assert (found["prediction"] > 0).all()
    assert found["prediction"].mean() == pytest.approx(found["price"].mean(), rel=0.2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--target", "y", "--transform", "log"], "--transform must have a positive target"),
        (["--target", "price", "--transform", "log", "--loss", "gamma"],
         "--transform must be left out for --loss gamma"),
        (["--target", "price", "--scale-target", "rows"], "--scale-target"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(polytask, table, words, told):
    answer = polytask("compare", table, "--task", "assay", *words)
    assert answer.code == 2
    assert told in answer.err


def test_findings_name_them(table):
    rows = pd.read_csv(table)
    told = [f.text for f in describe_table(rows.drop(columns="price"), "assay", "y").findings]
    assert any("say --scale-target task" in text for text in told)
    rng = np.random.default_rng(0)
    skewed = rows.assign(y=np.exp(rng.normal(size=len(rows)) * 1.2)).drop(columns="price")
    told = [f.text for f in describe_table(skewed, "assay", "y").findings]
    assert any("--loss gamma, or --transform log" in text for text in told)
    even = rows.assign(y=rng.normal(size=len(rows))).drop(columns="price")
    told = " ".join(f.text for f in describe_table(even, "assay", "y").findings)
    assert "--scale-target" not in told
    assert "--transform" not in told


def test_what_may_be_ordered_levels_is_named_and_classes_have_no_slopes():
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(20), 12)
    x = rng.normal(size=240) + 3 * rng.normal(size=20)[ids]
    level = np.clip(np.round(np.tile(x.reshape(20, 12).mean(axis=1)[:, None], 12).ravel()), 0, 2)
    rows = pd.DataFrame({"x": x, "task": ids, "y": level + 1})
    told = " ".join(f.text for f in describe_table(rows, "task", "y").findings)
    assert "say --kind ordinal" in told
    assert "'x' goes with the level of the tasks" in told
    named = rows.assign(y=rows["y"].map({1.0: "a", 2.0: "b", 3.0: "c"}))
    told = " ".join(f.text for f in describe_table(named, "task", "y").findings)
    assert "goes with the level" not in told
    assert "ordinal" not in told
