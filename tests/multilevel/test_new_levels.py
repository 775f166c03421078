"""What new levels of each grouping cost: planted deviations, refits, weights."""

import numpy as np
import pytest

from polytask import MultilevelClassifier, MultilevelRegressor
from polytask.datasets import make_crossed_rows
from polytask.inspection import NewLevels

TASK = ["user", "item"]


def test_planted_deviations_are_found():
    X, y, truth = make_crossed_rows(3000, {"user": 30, "item": 12}, level=(1.5, 0.5),
                                    random_state=0)  # fmt: skip
    model = MultilevelRegressor(task=TASK, varying=[]).fit(X, y)
    found = NewLevels.from_estimator(model, X, y)
    table = found.table.set_index("grouping")
    for name in TASK:
        level = truth[name][:, -1]
        m = len(level)
        others = (level.sum() - level) / (m - 1)  # what the other levels say of one
        assert table.loc[name, "levels"] == m
        assert table.loc[name, "more"] == pytest.approx(np.mean((level - others) ** 2), rel=0.1)
        assert table.loc[name, "low"] < table.loc[name, "more"] < table.loc[name, "high"]
    assert table["loss_seen"].to_numpy() == pytest.approx(1.0, rel=0.06)  # the noise
    assert "A new user: " in found.text
    assert "more squared error than one that was seen" in found.text


def test_new_levels_are_what_refits_say_and_weights_count():
    X, y, _ = make_crossed_rows(120, {"user": 6, "item": 5}, random_state=1)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 120)
    strength = {"user": 0.01, "item": 0.02}
    model = MultilevelRegressor(strength, task=TASK, varying=[]).fit(X, y, weight)
    found = NewLevels.from_estimator(model, X, y, sample_weight=weight).table
    losses = []
    for item in range(5):
        held = (X["item"] == item).to_numpy()
        share = weight.sum() / weight[~held].sum()
        given = {name: share * alpha for name, alpha in strength.items()}
        fit = MultilevelRegressor(given, task=TASK, varying=[], unseen="common")
        fit.fit(X[~held], y[~held], weight[~held])
        error = y[held] - fit.predict(X[held])
        losses.append(np.average(error**2, weights=weight[held]))
    assert found["loss_new"][1] == pytest.approx(np.mean(losses), rel=1e-8)


def test_labels_and_levels_of_one_row():
    X, y, _ = make_crossed_rows(600, {"user": 20, "item": 8}, level=(2.0, 0.0),
                                classification=True, random_state=0)  # fmt: skip
    labels = np.where(y == 1, "yes", "no")
    X["order"] = np.arange(600)
    model = MultilevelClassifier(task=[*TASK, "order"], n_groupings=3, varying=[])
    found = NewLevels.from_estimator(model.fit(X, labels), X, labels)
    table = found.table.set_index("grouping")
    assert list(table.index) == TASK
    assert table.loc["user", "low"] > 0
    assert abs(table.loc["item", "more"]) < 0.05
    assert "New levels of order are not judged: fewer than two hold two rows" in found.text
    assert "log loss" in found.text
