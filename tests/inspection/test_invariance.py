"""Rounding, units, order and names of tasks, rows and columns move no verdict and no gain."""

import json

import numpy as np
import pandas as pd
import pytest

import polytask
from polytask import (
    LowRankRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
)
from polytask.cli.main import main
from polytask.datasets import make_related_tasks
from polytask.inspection import NewTasks, TaskLearningCurve, compare_tasks
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor
from polytask.tables import make_task_pipeline


@pytest.mark.slow
def test_rounding_and_order_move_no_verdict():
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.gamma(2, 1.5, size=(200, 3)) - 1, columns=list("abc"))
    X["site"] = rng.choice(list("pqrst"), 200)
    W = rng.normal(size=(5, 3)) * [0.6, 0.3, 0.2] + [1, -1, 0]
    y = (X[list("abc")] * W[pd.factorize(X["site"], sort=True)[0]]).sum(axis=1).to_numpy()
    y = y + rng.normal(size=200)
    bits = X.copy()
    bits[list("abc")] *= 1 + 2e-16 * np.sign(rng.normal(size=(200, 3)))
    models = {"single-task": SingleTaskRegressor(task="site"),
              "pooled": PooledRegressor(task="site"), "low-rank": LowRankRegressor(task="site"),
              "mean-regularized": MeanRegularizedRegressor(task="site")}  # fmt: skip

    def judged(table):
        found = compare_tasks(models, table, y, task="site", cv=3)
        gains = found.gains.select_dtypes("float").to_numpy()
        return found.verdict.label, found.recommended.model, np.sort(gains, axis=None)

    label, recommended, gains = judged(X)
    for table in (bits, X[["c", "site", "b", "a"]]):
        again = judged(table)
        assert again[:2] == (label, recommended)
        np.testing.assert_allclose(again[2], gains, atol=1e-6)


def table(seed, labels=False):
    X, y, _ = make_related_tasks(7, 4, 22, classification=labels, random_state=seed)
    rng = np.random.default_rng(seed)
    X["task"] = [f"t{t}" for t in X["task"]]
    keep = rng.random(len(y)) < 0.8  # tasks of several sizes
    return X[keep].reset_index(drop=True), y[keep]


def came_otherwise(X, y, seed):
    """Tasks renamed, rows and columns in another order, a column and the target in other units."""
    rng = np.random.default_rng(seed)
    names = sorted(X["task"].unique())
    new = dict(zip(names, rng.permutation(names), strict=True))
    rows, columns = rng.permutation(len(y)), rng.permutation(X.columns)
    again = X.assign(task=X["task"].map(new), x0=1024.0 * X["x0"] + 0.5)
    return again.iloc[rows][columns].reset_index(drop=True), y[rows], new, rows


def of_tasks(found, new=None):
    """Gains over single-task by model and the tasks' first names."""
    gains = found.gains
    return gains.assign(task=gains["task"].replace({b: a for a, b in (new or {}).items()})) \
        .set_index(["name", "task"])["gain"].sort_index()  # fmt: skip


@pytest.mark.parametrize("labels", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_how_a_table_came_moves_no_gain(labels):
    """Gains moved by up to 13 points when tasks were renamed."""
    role = "Classifier" if labels else "Regressor"
    X, y = table(1, labels)
    again, y_again, new, _ = came_otherwise(X, y, 1)
    found = []
    for rows, target in ((X, y), (again, y_again)):
        features = [name for name in rows if name != "task"]
        models = {
            name: make_task_pipeline(
                getattr(polytask, stem + role)(task="task"), "task", features, []
            )
            for name, stem in (("single-task", "SingleTask"), ("pooled", "Pooled"),
                               ("joint", "MeanRegularized"))
        }  # fmt: skip
        found.append(compare_tasks(models, rows, target, task="task", cv=3, n_repeats=2))
    one, two = found
    np.testing.assert_allclose(of_tasks(two, new), of_tasks(one), atol=1e-9)
    assert one.verdict.text == two.verdict.text
    assert not np.allclose(of_tasks(two), of_tasks(one), atol=1e-3)  # they were renamed


@pytest.mark.parametrize("make", [BoostedTreesRegressor, BoostedTreesClassifier])
@pytest.mark.parametrize("m", [7, 40])
def test_boosting_with_the_task_as_a_category(make, m):
    """Of 40 small tasks it takes the mean target; the rows that say when to stop are the same."""
    X, y, _ = make_related_tasks(m, 4, 240 // m, classification="Cl" in make.__name__,
                                 random_state=0)  # fmt: skip
    X["task"] = [f"t{t}" for t in X["task"]]
    again, y_again, _, rows = came_otherwise(X, y, 3)
    one, two = make(task="task").fit(X, y), make(task="task").fit(again, y_again)
    say = "predict_proba" if hasattr(one, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(two, say)(again), getattr(one, say)(X)[rows], atol=1e-9)


def test_new_tasks_and_learning_curves():
    X, y = table(4)
    again, y_again, _, _ = came_otherwise(X, y, 4)
    again["x0"] = (again["x0"] - 0.5) / 1024.0  # penalties stand in units
    models = {"single-task": SingleTaskRegressor(0.1, task="task"),
              "joint": MeanRegularizedRegressor(0.1, task="task")}  # fmt: skip
    for cls, values, options in (
        (NewTasks, "answers", {"n_support": (0, 5), "cv": 2}),
        (TaskLearningCurve, "curve", {"n_repeats": 3}),
    ):
        one, two = (
            getattr(cls.from_data(models, *rows, task="task", **options), values).select_dtypes(
                "float"
            )
            for rows in ((X, y), (again, y_again))
        )
        for name in set(one) - {"seconds"}:
            np.testing.assert_allclose(two[name], one[name], atol=1e-9, err_msg=name)


@pytest.mark.slow
def test_the_command_says_the_same(tmp_path):
    X, y = table(5)
    again, y_again, new, _ = came_otherwise(X, y, 5)
    told, tasks = [], []
    for name, rows, target in (("one", X, y), ("two", again, 64.0 * y_again)):
        rows.assign(y=target).to_csv(tmp_path / f"{name}.csv", index=False)
        main(["compare", str(tmp_path / f"{name}.csv"), "--task", "task", "--target", "y",
              "--models", "single-task,mean-regularized,gradient-boosting", "--cv", "3",
              "--out", str(tmp_path / name)])  # fmt: skip
        told.append(json.loads((tmp_path / name / "results.json").read_text())["verdict"])
        tasks.append(pd.read_csv(tmp_path / name / "tasks.csv", index_col="task"))
    one, two = tasks
    for column in ("relative_gain", "p"):
        np.testing.assert_allclose(two.rename({b: a for a, b in new.items()})[column][one.index],
                                   one[column], atol=1e-6)  # fmt: skip
    assert told[0]["headline"] == told[1]["headline"]
