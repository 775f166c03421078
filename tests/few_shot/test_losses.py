"""What a new task with k rows would get."""

import pytest

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor, SingleTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.inspection.few_shot import few_shot_losses


def test_sharing_helps_new_tasks_and_rows_help_too():
    X, y, _ = make_related_tasks(20, 5, 30, deviation=0.5, random_state=0)
    models = {
        "joint": MeanRegularizedRegressor("reml", task="task", unseen="common"),
        "alone": SingleTaskRegressor(task="task"),
    }
    table = few_shot_losses(models, X, y, task="task", n_support=(0, 3, 10), cv=2)
    loss = table.set_index(["estimator", "road", "n_support"])["loss"]
    assert (table["tasks"] == 20).all()
    assert loss["joint", "refit", 10] < loss["joint", "refit", 0]
    assert loss["joint", "add_task", 10] < loss["joint", "refit", 0]
    assert loss["joint", "refit", 3] < 0.7 * loss["alone", "refit", 3]
    assert loss["joint", "add_task", 10] == pytest.approx(loss["joint", "refit", 10], rel=0.1)
    assert ("alone", "refit", 0) not in loss.index
    assert ("alone", "add_task", 3) not in loss.index


def test_classes():
    X, y, _ = make_related_tasks(8, 3, 20, classification=True, random_state=0)
    models = {"joint": MeanRegularizedClassifier(0.01, task="task", unseen="common")}
    table = few_shot_losses(models, X, y, task="task", n_support=(0, 5), cv=2)
    assert table["loss"].between(0.1, 1.0).all()
