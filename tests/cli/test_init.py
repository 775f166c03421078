"""From a table that nobody has described to a verdict, with two commands."""

import json
import shlex

import numpy as np
import pandas as pd


def test_two_commands_lead_to_a_verdict(polytask, place, tmp_path):
    answer = polytask("init", place / "table.csv", "--target", "score")
    assert answer.code == 0, answer.err
    assert "target 'score', a regression (as you said)" in answer.out
    assert "seen: it holds dates" in " ".join(answer.out.split())
    command = answer.out.splitlines()[-1]
    words = shlex.split(command)
    assert words[:2] == ["polytask", "compare"]
    assert words[words.index("--task") + 1] == "site, nr"
    answer = polytask(*words[1:], "--out", tmp_path / "r", "--models", "pooled", "--cv", "2")
    assert answer.code == 0, answer.err
    assert (tmp_path / "r" / "report.html").exists()


def test_json_for_programs(polytask, place):
    found = json.loads(polytask("init", place / "table.csv", "--json").out)
    assert found["task"] == "site, nr"
    assert found["compare"].startswith("polytask compare ")
    assert found["tasks"][0]["levels"] == 8


def test_a_table_without_tasks(polytask, tmp_path):
    table = pd.DataFrame({"a": np.linspace(0, 1, 30), "y": np.linspace(0, 2, 30) ** 2})
    table.to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("init", tmp_path / "t.csv")
    assert answer.code == 2
    assert "--task must name a column whose values repeat" in answer.err
    assert "each a task, take them all: polytask compare TABLE --target COL,COL" in answer.err
    assert "Next:" not in answer.out
