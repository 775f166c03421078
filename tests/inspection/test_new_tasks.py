"""What a new task with k rows would get."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
)
from polytask.datasets import make_related_tasks
from polytask.inspection import NewTasks, compare_tasks, sample
from polytask.inspection.displays import NewTasksDisplay
from polytask.model_selection import LeaveTasksOut, TaskShuffleSplit
from polytask.tables import make_task_pipeline
from tests.inspection.helpers import TaskMean


def models():
    """Of fixed strength, which takes no time."""
    return {
        "single-task": SingleTaskRegressor(0.02, task="task"),
        "joint": MeanRegularizedRegressor(0.1, task="task"),
    }


@pytest.fixture(scope="module")
def found():
    X, y, _ = make_related_tasks(20, 5, 30, deviation=0.5, random_state=0)
    given = {
        "single-task": SingleTaskRegressor(task="task"),
        "joint": MeanRegularizedRegressor("reml", task="task"),
        "pooled": None,
    }
    return NewTasks.from_data(given, X, y, task="task", n_support=(10, 0, 3), cv=2)


def loss_of(found):
    return found.answers.set_index(["answer", "n_support"])["loss"]


def test_sharing_helps_new_tasks_and_rows_help_too(found):
    loss = loss_of(found)
    assert loss["joint", 10] < loss["joint", 0]
    assert loss["joint (added)", 10] < loss["joint", 0]
    assert loss["joint", 3] < 0.7 * loss["single-task", 3]
    assert loss["joint (added)", 10] == pytest.approx(loss["joint", 10], rel=0.1)
    assert ("single-task", 0) not in loss.index
    assert ("single-task (added)", 3) not in loss.index
    assert not found.failed


def test_gains_are_those_of_the_losses(found):
    one = found.answers.set_index(["answer", "n_support"]).loc[("joint", 3)]
    loss = loss_of(found)
    assert one["gain"] == pytest.approx(1 - loss["joint", 3] / loss["single-task", 3])
    assert one["over_pooled"] == pytest.approx(1 - loss["joint", 3] / loss["pooled", 3])
    assert one["gain_low"] < one["gain"] < one["gain_high"]
    assert found.focus == "joint"
    mine = found.tasks[found.tasks["n_support"] == 3]
    assert mine["loss"].mean() == pytest.approx(loss["joint", 3])
    assert (mine["reference"] == "single-task").all()
    assert set(found.tasks.loc[found.tasks["n_support"] == 0, "reference"]) == {"pooled"}
    assert len(mine) == found.tasks_tested == 20


def test_text_says_it(found):
    assert found.text.startswith("Joint on a new task, squared error against the same rows alone: ")
    assert " less with 3 rows (95 % interval " in found.text
    assert "Against Pooled: " in found.text
    assert "without the old rows" in found.text
    json.dumps(found.to_dict(), allow_nan=False)


def test_alone_sees_nothing_but_its_own_rows(monkeypatch):
    """The answer of the baseline does not change with the rows of the other tasks."""
    X, y, _ = make_related_tasks(6, 2, 12, random_state=0)
    monkeypatch.setattr(sample, "row_order", lambda *_: np.arange(len(y)))  # the same split
    options = {"task": "task", "n_support": (6,), "cv": 2}
    here = X["task"].to_numpy() == 0
    first, other = (
        NewTasks.from_data(models(), X, target, **options)
        for target in (y, np.where(here, y, 3.0 * y))
    )
    alone = [f.tasks.set_index("task").loc[0, "loss_reference"] for f in (first, other)]
    joint = [f.tasks.set_index("task").loc[0, "loss"] for f in (first, other)]
    assert alone[0] == pytest.approx(alone[1], rel=1e-12)
    assert abs(joint[0] - joint[1]) > 1e-3


def test_behind_preprocessing_and_beside_models_without_tasks():
    X, y, _ = make_related_tasks(10, 3, 15, random_state=0)
    behind = {
        name: make_task_pipeline(model, "task", ["x0", "x1", "x2"], [])
        for name, model in models().items()
    }
    found = NewTasks.from_data({**behind, "ridge": Ridge()}, X, y, task="task", n_support=(4,))
    assert set(found.answers["answer"]) == {"single-task", "joint", "joint (added)", "ridge"}
    assert np.isfinite(found.answers["loss"]).all()


def test_classes():
    X, y, _ = make_related_tasks(8, 3, 20, classification=True, random_state=0)
    given = {"single-task": None, "joint": MeanRegularizedClassifier(0.01, task="task")}
    found = NewTasks.from_data(given, X, y, task="task", n_support=(0, 5), cv=2, n_repeats=2)
    assert found.answers["loss"].between(0.1, 1.0).all()
    assert found.loss_title == "log loss"


def test_a_model_that_knows_no_new_tasks_is_named():
    X, y, _ = make_related_tasks(6, 2, 12, random_state=0)
    given = {**models(), "means": TaskMean(task="task")}
    found = NewTasks.from_data(given, X, y, task="task", n_support=(0, 4), cv=2)
    assert list(found.failed) == ["Means, common, 0 rows"]
    assert found.answers.query("answer == 'means'")["n_support"].tolist() == [4]


def test_mistakes_are_named():
    X, y, _ = make_related_tasks(4, 2, 6, random_state=0)
    with pytest.raises(ValueError, match="one above 0; got"):
        NewTasks.from_data(None, X, y, task="task", n_support=(0,))
    with pytest.raises(ValueError, match="0 tasks have more rows"):
        NewTasks.from_data(None, X, y, task="task", n_support=(0, 6))
    with pytest.raises(ValueError, match="baseline must be one of"):
        NewTasks.from_data(None, X, y, task="task", baseline="none")


def test_figure(found):
    display = NewTasksDisplay.from_results(found).plot()
    assert len(display.ax_.get_lines()) == found.answers["answer"].nunique()
    assert "20 new tasks" in display.description


def test_a_comparison_on_tasks_left_out():
    X, y, _ = make_related_tasks(12, 3, 20, random_state=0)
    cv = LeaveTasksOut(3, task="task", n_support=5, random_state=0)
    found = compare_tasks(models(), X, y, task="task", cv=cv)
    assert found.provenance.cv == 3
    assert "n_support=5" in found.provenance.splitter
    assert found.verdict.label == "joint-helps"
    with pytest.raises(ValueError, match="tests no row twice"):
        compare_tasks(models(), X, y, task="task", cv=TaskShuffleSplit(2, task="task"))


def test_a_class_that_alone_has_no_row_gets_a_share():
    """Its probability was zero, so that 92 % less log loss was measured against rows alone."""
    rng = np.random.default_rng(0)
    ids, x = np.repeat(np.arange(6), 30), rng.normal(size=180)
    y = np.array(["bus", "car", "walk"])[np.digitize(x + rng.logistic(size=180), [-0.5, 2.5])]
    X = pd.DataFrame({"x": x, "task": ids})
    found = NewTasks.from_data(
        {"single": SingleTaskClassifier(0.1, task="task"),
         "joint": MeanRegularizedClassifier(0.1, task="task")},
        X, y, task="task", n_support=(4,), cv=6, baseline="single",
    )  # fmt: skip
    answers = found.answers.set_index("answer")
    assert answers["loss"].max() < 2.0
    assert not found.failed  # nor is a task of several classes said to fail to be added
