"""What a user may get wrong about a table ends in one line and exit code 2."""

import os
import subprocess
import sys

import numpy as np
import pytest

BASE = {"--task": "site, nr", "--target": "score"}


def words_of(command, table, **changes):
    chosen = {**BASE, **{f"--{key}": value for key, value in changes.items()}}
    return [command, table, *(part for pair in chosen.items() for part in pair)]


def check(answer, *told):
    assert answer.code == 2, answer.err
    assert answer.err.startswith("polytask: error: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    for word in told:
        assert word in answer.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"task": "site"}, ["--task must name a column", "'site'", "Did you mean 'site, nr'"]),
        ({"target": "scroe"}, ["--target", "Did you mean 'score'"]),
        ({"task": "prediction"}, ["--task must name a column whose values repeat"]),
        ({"target": "site, nr"}, ["--target must be another column than the task"]),
        (
            {"target": "prediction"},
            ["--target must be numeric for a regression, or have", "112 of text"],
        ),
        ({"target": "seen"}, ["--target", "holds dates"]),
        ({"features": "dose,zzz"}, ["--features", "'zzz'"]),
        ({"features": "seen"}, ["'seen'", "dates"]),
        ({"features": ","}, ["--features must name at least one column"]),
        ({"categorical": "zzz"}, ["--categorical", "'zzz'"]),
        ({"kind": "classification"}, ["--target must have at most 30 distinct values"]),
        ({"metric": "auc"}, ["--metric must be a metric for a regression", "'auc'", "rmse"]),
        ({"metric": "foo_tasks"}, ["--metric"]),
        ({"new-tasks": "0"}, ["--new-tasks must be whole numbers", "got '0'"]),
        ({"models": "single-tsak"}, ["--models", "Did you mean 'single-task'"]),
        ({"models": "foo"}, ["--models", "There are single-task"]),
        ({"target": "score,dose"}, ["--target must name one column", "leave --task out"]),
        ({"varying": "dosis"}, ["--varying must name a column", "Did you mean 'dose'"]),
        ({"varying": "arm=a,zzz"}, ["--varying must name a column", "'zzz'"]),
        (
            {"varying": "dose", "models": "pooled"},
            ["--varying must be left out", "'multilevel' do."],
        ),
    ],
)
def test_choices(polytask, place, tmp_path, changes, told):
    out = tmp_path / "out"
    check(polytask(*words_of("compare", place / "table.csv", out=out, **changes)), *told)
    assert not out.exists()


def test_models_that_cannot_take_the_classes(polytask, place, tmp_path, related):
    """Asked for by name they are refused before the work; of a group they are left out."""
    colours = np.array(["red", "green", "blue"])[np.arange(len(related)) % 3]
    related[["site, nr", "dose"]].assign(colour=colours).to_csv(tmp_path / "t.csv", index=False)
    words = words_of("compare", tmp_path / "t.csv", target="colour", out=tmp_path / "out")
    check(polytask(*words, "--models", "curved"), "--models", "3 classes; 'curved' does not")
    assert not (tmp_path / "out").exists()


def test_outputs_are_refused_before_the_work(polytask, place, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    table = place / "table.csv"
    check(polytask(*words_of("compare", table, out=tmp_path / "file")), "--out must be a directory")
    check(polytask(*words_of("compare", table, out=tmp_path / "file/in")), "--out", "is a file")
    check(polytask(*words_of("fit", table, out=tmp_path / "folder")), "--out must be a file")
    check(polytask(*words_of("fit", table, out=tmp_path / "a/m.skops")), "--out", "Make")
    check(polytask(*words_of("fit", table, out=tmp_path / "m.pkl")), "--out must end in .skops")
    check(polytask(*words_of("fit", table, out=table)), "--out must not be an input")
    assert (tmp_path / "file").read_text() == "mine"


def test_model_files(polytask, place, tmp_path):
    check(polytask("predict", "no.skops", place / "table.csv"), "MODEL", "does not exist")
    check(polytask("predict", place, place / "table.csv"), "MODEL", "is a directory")
    check(polytask("predict", place / "table.csv", "m"), "MODEL", "predict MODEL TABLE")
    check(polytask("predict", "m", "t", "--out", tmp_path / "p.ods"), "--out must end in")


def test_an_operating_system_error_is_one_line(polytask, place):
    check(polytask(*words_of("describe", place / ("x" * 300))), "must be")


def test_one_task(polytask, place, tmp_path, related):
    related.assign(one="a").to_csv(tmp_path / "t.csv", index=False)
    answer = polytask(*words_of("compare", tmp_path / "t.csv", task="one", out=tmp_path / "out"))
    check(answer, "--task must name a column with at least two tasks")


def test_a_closed_pipe_is_no_error(place):
    words = [
        sys.executable,
        "-m",
        "polytask.cli",
        *map(str, words_of("describe", place / "table.csv")),
    ]
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert done.returncode == 0
    assert done.stderr == b""
