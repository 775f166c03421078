"""A saved model becomes an ONNX graph with the same answers, text tasks beside numbers."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest

from polytask.cli.saved_model import load_model
from polytask.datasets import load_exam
from polytask.tables import make_task_table
from tests.export.helpers import EXACT, run_graph

FEATURES = "standLRT,intake,sex,schgend,schavg,vr"


@pytest.fixture(scope="module")
def exam(polytask, tmp_path_factory):
    """Schools of the demo's table with text as ids and a few gaps, and the model fitted to it."""
    folder = tmp_path_factory.mktemp("export")
    table = load_exam().query("school <= 12").reset_index(drop=True)
    table["school"] = "School Nº " + table["school"].astype(str)
    table.loc[::10, ["standLRT", "sex"]] = [np.nan, None]
    table.to_csv(folder / "exam.csv", index=False)
    answer = polytask("fit", folder / "exam.csv", "--task", "school", "--target", "normexam",
                      "--features", FEATURES, "--out", folder / "m.skops")  # fmt: skip
    assert answer.code == 0, answer.err
    return table, folder


def test_the_demo_in_onnxruntime(polytask, exam):
    table, folder = exam
    answer = polytask("export", folder / "m.skops", folder / "m.onnx")
    assert answer.code == 0, answer.err
    graph = onnx.load(folder / "m.onnx")
    X = make_task_table(table, "school", "normexam", features=FEATURES.split(",")).X
    model, card = load_model(folder / "m.skops")
    found = run_graph(graph, X)
    np.testing.assert_allclose(found["prediction"], model.predict(X), **EXACT)
    about = json.loads(graph.metadata_props[0].value)
    assert about["target"] == card.target == "normexam"
    assert "school" in answer.out
    assert "gets NaN or an empty label" in answer.out


def test_what_an_unseen_task_gets(polytask, exam):
    table, folder = exam
    new = table.assign(school="School Nº 2000")
    answer = polytask("export", folder / "m.skops", folder / "c.onnx", "--unseen", "common")
    assert "gets what the tasks share" in answer.out
    new.to_csv(folder / "new.csv", index=False)
    polytask("predict", folder / "m.skops", folder / "new.csv", "--unseen", "common",
             "--out", folder / "p.csv")  # fmt: skip
    found = run_graph(onnx.load(folder / "c.onnx"), new)
    assert found["unseen_task"].all()
    np.testing.assert_allclose(
        found["prediction"], pd.read_csv(folder / "p.csv")["prediction"], **EXACT
    )


def test_mistakes(polytask, exam, place):
    _, folder = exam
    answer = polytask("export", folder / "m.skops", folder / "m.pb")
    assert (answer.code, answer.err) == (
        2, "polytask: error: OUT must end in .onnx; got 'm.pb'.\n"
    )  # fmt: skip
    answer = polytask("export", folder / "m.skops", folder / "absent" / "m.onnx")
    assert "error: OUT must be in a directory that exists" in answer.err
    out = folder / "trees.skops"
    polytask("fit", place / "table.csv", "--task", "site, nr", "--target", "score", "--out", out,
             "--model", "gradient-boosting")  # fmt: skip
    answer = polytask("export", out, folder / "trees.onnx")
    assert answer.code == 2
    assert "must be a linear or curved multi-task model" in answer.err
    assert answer.err.count("\n") == 1
    assert not (folder / "trees.onnx").exists()
