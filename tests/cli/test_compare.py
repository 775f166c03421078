"""The main job from a file to the report, the numbers, the model."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

FILES = ["model.skops", "model_card.md", "report.html", "results.json", "tasks.csv"]
QUICK = ["--task", "site, nr", "--cv", "2", "--models", "single-task,pooled,task-intercept"]


@pytest.fixture(scope="module")
def regression(polytask, place):
    out = place / "report"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    (out / "tasks.csv").write_text("old")
    answer = polytask("compare", place / "table.csv", *QUICK, "--target", "score", "--out", out,
                      "--features", "größe,dose,arm")  # fmt: skip
    assert answer.code == 0, answer.err
    return out, answer


def test_files(regression):
    out, _ = regression
    assert sorted(p.name for p in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (out / "mine.txt").read_text() == "mine"


@pytest.mark.slow
def test_models_of_a_pattern_have_their_section(polytask, place):
    out = place / "patterns"
    answer = polytask("compare", place / "table.csv", *QUICK[:-1], "pooled,single-task,lasso",
                      "--target", "score", "--features", "größe,dose", "--out", out)  # fmt: skip
    assert answer.code == 0, answer.err
    page = (out / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="patterns"') :]
    section = section[: section.index("</section>")]
    assert "Lasso: A row per task, a column per feature" in section
    assert "8 tasks, " in section
    assert "größe" in section


def test_results(regression):
    out, answer = regression
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found["verdict"]["text"].startswith(found["verdict"]["headline"])
    assert {model["name"] for model in found["models"]} == {*QUICK[-1].split(","), "task-means"}
    assert sorted(task["id"] for task in found["tasks"]) == list(range(1, 9))
    tasks = pd.read_csv(out / "tasks.csv")
    assert tasks["rows"].tolist() == [14] * 8
    assert found["model"] in answer.out


def test_terminal(regression):
    out, answer = regression
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    lines = [line for line in answer.out.splitlines() if line.strip()]
    assert lines[0] == f"Proved: {found['verdict']['headline']}"
    assert f"Recommended: {found['recommended']['title']}" in lines
    assert found["recommended"]["model"] == found["model"]
    assert {"model", "loss", "text", "why", "alternatives"} <= set(found["recommended"])
    for model in found["models"]:
        assert model["title"] in answer.out
    assert "missing feature values" in " ".join(answer.out.split())
    assert str(out / "report.html") in answer.out.replace("\n", "")
    assert "\x1b" not in answer.out


def test_report_says_what_was_done_to_the_columns(regression):
    page = (regression[0] / "report.html").read_text(encoding="utf-8")
    assert "filled inside the training folds" in page
    assert "site, nr" in page


def test_repeating_gives_the_same_numbers(polytask, place, regression):
    words = ["compare", place / "table.parquet", *QUICK, "--target", "score", "--out",
             place / "again", "--features", "größe,dose,arm"]  # fmt: skip
    assert polytask(*words).code == 0
    first, second = (
        json.loads((folder / "results.json").read_text())
        for folder in (regression[0], place / "again")
    )
    for one, two in zip(first["tasks"], second["tasks"], strict=True):
        assert one == pytest.approx(two, nan_ok=True)


@pytest.mark.parametrize(
    ("models", "least"),
    [(["--models", "pooled"], 2), pytest.param([], 5, id="default", marks=pytest.mark.slow)],
)
def test_classification(polytask, drawn, place, tmp_path, models, least):
    out = tmp_path / "classes"
    answer = polytask("compare", place / "table.csv", "--task", "site, nr", "--target", "healthy",
                      "--features", "größe,arm", "--cv", "2", *models, "--out", out)  # fmt: skip
    assert answer.code == 0, answer.err
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert found["kind"] == "classification"
    assert len(found["models"]) >= least
    assert {model["status"] for model in found["models"]} == {"ok"}
    assert "classification of 'yes' against 'no'" in " ".join(answer.out.split())


def test_difficult_tasks_are_notes(polytask, related, tmp_path):
    """A task of one row, one with a constant target, one without values of a feature."""
    table = related.copy()
    table.loc[table["site, nr"] == 2, "score"] = 1.0
    table.loc[table["site, nr"] == 3, "dose"] = None
    table = table.drop(index=table.index[1:14])
    table.to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("compare", tmp_path / "t.csv", *QUICK, "--target", "score", "--out",
                      tmp_path / "out", "--features", "größe,dose")  # fmt: skip
    assert answer.code == 0, answer.err
    told = " ".join(answer.out.split())
    assert "1 task ('2') holds a constant target" in told
    assert "a single row" in told


def test_a_row_has_one_number_in_all_that_is_said(polytask, tmp_path):
    rng = np.random.default_rng(17)
    g, x = np.repeat(np.arange(8), 30), rng.normal(size=(240, 2))
    y = (x * (np.array([1, -1]) + rng.normal(size=(8, 2)))[g]).sum(1) + rng.normal(size=240)
    table = pd.DataFrame(x, columns=["a", "b"]).assign(plant=g, y=y)
    table.loc[7, "a"] *= 1000
    table.to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("compare", tmp_path / "t.csv", "--task", "plant", "--target", "y",
                      "--models", "pooled,mean-regularized", "--cv", "2", "--out",
                      tmp_path / "out")  # fmt: skip
    told = " ".join(answer.out.split())
    assert "far from all others, such as 590.568 in row 8" in told
    assert "does not stand without row 8 (task 0; 'a' is far from all others there)" in told


def test_single_task_is_added(polytask, place, tmp_path):
    answer = polytask("compare", place / "table.csv", "--task", "site, nr", "--target", "score",
                      "--features", "größe", "--models", "pooled", "--cv", "2",
                      "--out", tmp_path)  # fmt: skip
    assert answer.code == 0, answer.err
    assert "Single-task learning takes part" in answer.out


def test_interruption_leaves_nothing(polytask, place, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("polytask.report.render_report", interrupt)
    answer = polytask("compare", place / "table.csv", *QUICK, "--target", "score", "--out",
                      tmp_path / "out", "--features", "größe")  # fmt: skip
    assert answer.code == 130
    assert "interrupted" in answer.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_ctrl_c_in_a_real_process(place, tmp_path):
    words = ["compare", place / "table.csv", "--task", "site, nr", "--target", "score", "--repeats",
             "50", "--out", tmp_path / "out"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "polytask.cli", *map(str, words)], stderr=subprocess.PIPE
    )
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.decode().count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_relatedness_is_told_and_more_on_request(regression, polytask, drawn, place):
    found = json.loads((regression[0] / "results.json").read_text(encoding="utf-8"))
    assert found["relatedness"]["text"].startswith("The tasks ")
    assert found["learning_curve"] is None
    page = (regression[0] / "report.html").read_text(encoding="utf-8")
    assert 'id="relatedness"' in page
    assert 'id="curve"' not in page
    out = place / "with-curve"
    answer = polytask("compare", place / "table.csv", *QUICK[:-1], "pooled", "--target", "score",
                      "--out", out, "--features", "größe", "--learning-curve",
                      "--new-tasks", "0,4")  # fmt: skip
    assert answer.code == 0, answer.err
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert "rows per task" in found["learning_curve"]["text"]
    assert {a["n_support"] for a in found["new_tasks"]["answers"]} == {0, 4}
    assert found["new_tasks"]["text"] in " ".join(answer.out.split())
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'id="curve"' in page
    assert 'id="newcomers"' in page
