"""Times to an event on the command line: describe, compare, fit, predict; what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from polytask.cli.candidates import model_names, suiting
from polytask.cli.saved_model import load_model
from polytask.models.registry import NEURAL_NAMES


@pytest.fixture(scope="module")
def wards(tmp_path_factory):
    rng = np.random.default_rng(0)
    ward, x = np.repeat(np.arange(1, 7), 18), rng.normal(size=(108, 2))
    event = rng.exponential(np.exp(-x @ [1.0, -0.5]) * 100)
    censored = rng.exponential(300.0, size=108)
    table = pd.DataFrame(
        {
            "ward": [f"w{k}" for k in ward],
            "age": 60 + 10 * x[:, 0],
            "dose": x[:, 1],
            "days": np.minimum(event, censored).round(2) + 0.01,
            "died": np.where(event <= censored, "true", "false"),
        }
    )
    table.loc[3, "age"] = np.nan
    folder = tmp_path_factory.mktemp("survival")
    table.to_csv(folder / "wards.csv", index=False)
    return table, folder


ASK = ("--task", "ward", "--target", "days", "--event", "died")


def test_compare_recommends_a_model_that_predicts_curves(polytask, wards):
    table, folder = wards
    out = folder / "report"
    answer = polytask(
        "compare", folder / "wards.csv", *ASK, "--out", out, "--cv", 2, "--models", "pooled"
    )
    assert answer.code == 0, answer.err
    found = json.loads((out / "results.json").read_text())
    assert found["kind"] == "survival"
    assert found["relatedness"] is None
    names = {model["name"] for model in found["models"]}
    assert names == {"single-task", "pooled", "task-means"}
    kept = set(suiting(model_names(), None, "survival")) - set(NEURAL_NAMES)
    assert kept == {"single-task", "pooled", "task-intercept", "mean-regularized"}
    assert {"concordance_tasks", "integrated_brier_rows"} <= set(found["models"][0])
    page = (out / "report.html").read_text()
    assert "Partial deviance" in page
    assert "Harrell" in page
    assert "Brier" in page
    assert "survival model of days by ward" in (out / "model_card.md").read_text()
    model, card = load_model(out / "model.skops")
    assert card.event == "died"
    assert card.target == "days"
    new = folder / "new.csv"
    table.drop(columns=["days", "died"]).to_csv(new, index=False)
    answer = polytask(
        "predict", out / "model.skops", new, "--out", folder / "p.csv", "--survival-at", "50,200.5"
    )
    assert answer.code == 0
    assert "the earlier the event ('died')" in answer.out
    p = pd.read_csv(folder / "p.csv")
    assert (p["survival_50"] > p["survival_200.5"]).all()
    assert p["survival_50"].between(0, 1).all()
    X = pd.read_csv(new)
    np.testing.assert_allclose(p["prediction"], model.predict(X))


def test_describe_says_how_many_events_there_are(polytask, wards):
    table, folder = wards
    answer = polytask("describe", folder / "wards.csv", *ASK, "--json")
    found = json.loads(answer.out)
    assert found["kind"] == "survival"
    assert found["target_summary"]["events"] == pytest.approx((table["died"] == "true").mean())
    assert [c["name"] for c in found["columns"]] == ["age", "dose"]
    words = " ".join(polytask("describe", folder / "wards.csv", *ASK).out.split())
    assert "time to an event, which comes in" in words
    assert "(half of them by" in words


def test_rows_without_time_or_event_are_left_out_and_counted(polytask, wards):
    table, folder = wards
    holes = table.assign(days=table["days"].mask(table.index == 5))
    holes["died"] = holes["died"].mask(holes.index == 7)
    holes.to_csv(folder / "holes.csv", index=False)
    answer = polytask("fit", folder / "holes.csv", *ASK, "--model", "pooled", "--out",
                      folder / "holes.skops")  # fmt: skip
    words = " ".join(answer.out.split())
    assert "without a target ('days') left out" in words
    assert "without an event ('died') left out" in words
    assert load_model(folder / "holes.skops")[1].rows == 106


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["days"].mask(t.index == 2, 0.0), "'days' is 0.0 in row 3 of the table"),
        (lambda t: t["days"].mask(t.index == 4, -1.5), "'days' is -1.5 in row 5 of the table"),
        (lambda t: (t["died"] == "true") + 1, "'died' is 2 in row 1 of the table .* subtract one"),
        (lambda t: t["died"].where(t["ward"] != "w2", "false"), "all rows are censored in 1 task "),
        (lambda t: t["died"].replace({"true": "dead"}), "--event must hold 1 and 0"),
        (
            lambda t: t["days"].astype(str).str.replace("1", "x"),
            "'days' must be numeric; it holds text, first 'x3.64' in row 1",
        ),
    ],
)
def test_bad_targets_are_one_sentence(polytask, wards, change, message):
    table, folder = wards
    new = change(table)
    table.assign(**{new.name: new}).to_csv(folder / "bad.csv", index=False)
    answer = polytask("fit", folder / "bad.csv", *ASK, "--out", folder / "bad.skops")
    assert answer.code == 2
    assert len(answer.err.strip().splitlines()) == 1
    assert pd.Series([answer.err]).str.contains(message).all(), answer.err
    described = polytask("describe", folder / "bad.csv", *ASK)
    assert described.code == 0
    assert "Stops a comparison" in described.out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--event", "age", "--features", "age"), "--event must be a column of its own"),
        (("--loss", "poisson"), "--loss must be left out with --event"),
        (("--kind", "regression"), "--kind must be left out with --event"),
        (("--transform", "log"), "--transform must be left out for times to an event"),
        (("--stream",), "--event must be left out in a table that is streamed"),
        (("--model", "low-rank"), "must name models for times to an event; 'low-rank' has none"),
        (("--model", "gradient-boosting"), "'gradient-boosting' has none"),
    ],
)
def test_what_does_not_go_with_events_is_one_sentence(polytask, wards, more, message):
    answer = polytask("fit", wards[1] / "wards.csv", *ASK, *more, "--out", wards[1] / "no.skops")
    assert answer.code == 2
    assert message in answer.err, answer.err


def test_a_comparison_of_events_takes_no_weights(polytask, wards):
    table, folder = wards
    table.assign(w=1.0).to_csv(folder / "weighed.csv", index=False)
    answer = polytask("compare", folder / "weighed.csv", *ASK, "--weights", "w")
    assert answer.code == 2
    assert "--weights must be left out with --event" in answer.err


def test_events_want_a_task_column_and_curves_want_events(polytask, wards):
    _table, folder = wards
    answer = polytask("fit", folder / "wards.csv", "--target", "days,age", "--event", "died")
    assert answer.code == 2
    assert "--task must be given with --event" in answer.err
    fit = polytask("fit", folder / "wards.csv", "--task", "ward", "--target", "dose", "--model",
                   "pooled", "--features", "age", "--out", folder / "plain.skops")  # fmt: skip
    assert fit.code == 0
    answer = polytask("predict", folder / "plain.skops", folder / "wards.csv", "--survival-at", 3)
    assert answer.code == 2
    assert "--survival-at must be left out for a regression" in answer.err
