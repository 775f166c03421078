"""Several groupings in comparisons and on the command line."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, MultilevelRegressor
from polytask.datasets import make_crossed_rows
from polytask.inspection import compare_tasks
from polytask.inspection.groupings import variances_in_words
from tests.cli.conftest import run as command


@pytest.fixture(scope="module")
def rows():
    X, y, _ = make_crossed_rows(400, {"user": 15, "item": 10}, random_state=0)
    return X, y


def test_the_gain_of_each_added_grouping(rows):
    X, y = rows
    names = ("single-task", "multilevel: user", "multilevel: user + item")
    found = compare_tasks(dict.fromkeys(names), X, y, task=["user", "item"], cv=3)
    assert found.task == "user"
    losses = found.models.set_index("name")["metric"]
    assert losses["multilevel: user + item"] < losses["multilevel: user"]
    told = [note for note in found.notes if note.startswith("item on top of user: ")]
    assert len(told) == 1
    assert "less squared error" in told[0]
    assert not found.warnings


def test_models_of_ones_own(rows):
    X, y = rows
    models = {
        "one": MeanRegularizedRegressor("reml", task=["user", "item"]),
        "both": MultilevelRegressor(task=["user", "item"], unseen="common"),
    }
    found = compare_tasks(models, X, y, task=["user", "item"], cv=3, baseline="one")
    assert found.verdict.label == "joint-helps"


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    rng = np.random.default_rng(0)
    n = 600
    table = pd.DataFrame({"school": rng.integers(0, 10, n), "class": rng.integers(1, 4, n)})
    table["x"], table["sex"] = rng.normal(size=n), rng.choice(["f", "m"], n)
    effect = rng.normal(size=(10, 4))
    level = effect[table["school"], table["class"]]
    table["score"] = 2 * table["x"] + level + rng.normal(size=n)
    table["school"] = "s" + table["school"].astype(str)
    path = tmp_path_factory.mktemp("school") / "school.csv"
    table.to_csv(path, index=False)
    return path, table


def test_the_command_fits_and_predicts(school, tmp_path):
    path, table = school
    model, out = tmp_path / "m.skops", tmp_path / "p.csv"
    answer = command("fit", path, "--task", "school/class", "--target", "score", "--model",
                      "multilevel", "--varying", "none", "--out", model)  # fmt: skip
    assert answer.code == 0, answer.err
    answer = command("predict", model, path, "--out", out)
    assert answer.code == 0, answer.err
    X = table[["x", "school", "class"]].assign(f=(table["sex"] == "f") * 1.0)
    same = MultilevelRegressor(task="school/class", varying=[]).fit(X, table["score"])
    np.testing.assert_allclose(pd.read_csv(out)["prediction"], same.predict(X), atol=1e-4)
    new = table.assign(**{"class": 99})
    new.to_csv(tmp_path / "new.csv", index=False)
    answer = command("predict", model, tmp_path / "new.csv", "--out", out)
    assert answer.code == 0, answer.err
    new_class = same.predict(X.assign(**{"class": 99}))
    np.testing.assert_allclose(pd.read_csv(out)["prediction"], new_class, atol=1e-4)


def test_the_command_compares(school, tmp_path):
    path, _ = school
    words = ["--task", "school/class", "--target", "score", "--cv", 3, "--models", "multilevel"]
    answer = command("compare", path, *words, "--out", tmp_path / "r")
    assert answer.code == 0, answer.err
    text = " ".join(answer.out.split())
    assert "school/class on top of school:" in text
    assert "Multilevel: school + school/class, the best of the 2 models" in text
    assert "know one grouping, 'school'" in text
    assert "failed" not in text
    page = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert "Deviation between school/class" in page
    assert "beyond its features the target varies by school" in page
    told = json.loads((tmp_path / "r" / "results.json").read_text())["new_levels"]
    school, nested = told["table"]
    assert (school["grouping"], nested["grouping"]) == ("school", "school/class")
    assert school["levels"] == 10
    assert nested["low"] > 0  # classes are all that was planted
    assert told["text"] in text
    assert "A new school/class: " in page


def test_a_grouping_of_text_is_no_feature_of_those_without_it(school, tmp_path):
    path, _ = school
    words = ["--task", "school,sex", "--features", "x", "--target", "score", "--cv", 3,
             "--models", "multilevel", "--varying", "none"]  # fmt: skip
    answer = command("compare", path, *words, "--out", tmp_path / "r")
    assert answer.code == 0, answer.err
    results = json.loads((tmp_path / "r" / "results.json").read_text())
    assert {m["name"]: m["status"] for m in results["models"]}["multilevel: school"] == "ok"
    answer = command("predict", tmp_path / "r" / "model.skops", path, "--out", tmp_path / "p.csv")
    assert answer.code == 0, answer.err


def test_shares_of_the_variance_have_a_rest_where_rows_have_a_variance(rows):
    X, y = rows
    counts = np.random.default_rng(0).poisson(np.exp(0.4 * y))
    models = {
        "numbers": MultilevelRegressor(task=["user", "item"], varying=[]).fit(X, y),
        "counts": MultilevelRegressor(task=["user", "item"], varying=[], loss="poisson").fit(
            X, counts
        ),
    }
    of_numbers, of_counts = variances_in_words(models)
    assert ", rest " in of_numbers
    levels = [v[-1] for v in models["counts"].variances_.values()]
    share = round(100 * levels[0] / sum(levels))
    assert of_counts.endswith(f"varies by user {share} %, item {100 - share} %, rows aside.")
