"""Rows of one person, and rows in time: what the command does where it is told of them."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.cli.saved_model import load_model
from polytask.tables import describe_table

MODELS = ["--models", "single-task,pooled"]


@pytest.fixture(scope="module")
def clinics(tmp_path_factory):
    """Five visits of each of six people in twelve clinics; what is known of one never changes."""
    rng = np.random.default_rng(2)
    who = np.repeat(np.arange(72), 5)
    Z, u = rng.normal(size=(72, 5)), rng.normal(size=72)
    table = pd.DataFrame(Z[who], columns=list("abcde")).assign(clinic=who // 6)
    table["person"] = [f"p{i:03d}" for i in who]
    table["seen"] = pd.date_range("2024-01-01", periods=360, freq="h").strftime("%Y-%m-%d %H:%M")
    table["day"] = np.tile(np.arange(5), 72)
    table["y"] = 0.3 * Z[who, 0] - 0.3 * Z[who, 1] + u[who] + 0.3 * rng.normal(size=360)
    folder = tmp_path_factory.mktemp("clinics")
    table.to_csv(folder / "clinics.csv", index=False)
    return folder / "clinics.csv"


def asked(polytask, table, *words):
    out = table.parent / f"report{len(list(table.parent.iterdir()))}"
    answer = polytask("compare", table, "--task", "clinic", "--target", "y", *MODELS, *words,
                      "--features", "a,b,c,d,e", "--out", out)  # fmt: skip
    assert answer.code == 0, answer.err
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def test_groups_change_the_answer_to_the_one_for_new_people(polytask, clinics):
    free, held = asked(polytask, clinics), asked(polytask, clinics, "--groups", "person")
    assert free["verdict"]["model"] == "single-task"
    assert held["verdict"]["model"] == "pooled"
    assert "Rows are taken as independent of one another." in free["verdict"]["text"]
    assert "Rows of one group are held out together" in held["verdict"]["text"]
    assert any("--groups person" in warning for warning in free["warnings"])
    assert not any("--groups" in warning for warning in held["warnings"])
    losses = [{m["name"]: m["metric"] for m in found["models"]} for found in (free, held)]
    assert losses[0]["single-task"] < 0.4
    assert losses[1]["single-task"] > 1.0  # a person's level is not known beforehand


def test_later_rows_are_judged(polytask, clinics):
    found = asked(polytask, clinics, "--time", "day", "--cv", "2")
    assert found["verdict"]["text"].endswith("Later rows are judged by models of earlier ones.")
    assert "the later half in 2 steps" in found["provenance"]["splitter"]
    assert any("144 of 360 rows are judged" in note for note in found["notes"])


def test_fit_is_told_as_well(polytask, clinics):
    alphas = []
    for words in ([], ["--groups", "person"]):
        said = ["--task", "clinic", "--target", "y", "--model", "single-task", *words]
        answer = polytask("fit", clinics, *said, "--out", clinics.with_suffix(".skops"))
        assert answer.code == 0, answer.err
        model, card = load_model(clinics.with_suffix(".skops"))
        alphas.append(model[-1].alpha_)
    assert alphas[1] > 10 * alphas[0]
    assert "person" not in card.columns
    answer = polytask("predict", clinics.with_suffix(".skops"), clinics, "--out",
                      clinics.with_name("found.csv"))  # fmt: skip
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--groups", "nobody"], "--groups"),
        (["--groups", "clinic"], "--groups must be another column than the task"),
        (["--groups", "person", "--time", "day"], "--time must be left out where --groups"),
        (["--time", "person"], "--time must hold numbers or dates"),
        (["--groups", "seen"], "--groups must name a column whose values repeat"),
        (["--stream", "--groups", "person"], "--groups must be left out"),
    ],
)
def test_what_cannot_be_meant_is_refused(polytask, clinics, words, told):
    answer = polytask("compare", clinics, "--task", "clinic", "--target", "y", *words)
    assert answer.code == 2
    assert told in answer.err


def findings(table, **given):
    found = describe_table(table, "clinic", "y", **given).findings
    return [f"{f.what} {f.remedy}" for f in found if "random folds" in f.what]


def test_describe_says_what_a_table_looks_like(clinics):
    table = pd.read_csv(clinics)
    (told,) = [text for text in findings(table) if "person" in text]
    assert "Rows with one 'person' are much alike (72 of them in 360 rows)" in told
    assert not findings(table, groups="person")
    without = table.drop(columns=["person", "seen"])
    (told,) = findings(without)
    assert "100% of the rows have the measurements of another row of their task" in told
    in_time = table.assign(**{name: np.random.default_rng(3).normal(size=360) for name in "abcde"})
    (told,) = findings(in_time.drop(columns="person"))
    assert "The rows of a task follow 'seen'" in told
    assert "--time seen" in told


def test_independent_rows_look_like_none(related):
    assert not findings(related.rename(columns={"site, nr": "clinic", "score": "y"}))
