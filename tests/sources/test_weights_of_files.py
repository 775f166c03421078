"""A column of a Parquet file says how much rows count: the fit with those as sample weights."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from polytask import (
    CurvedRegressor,
    LassoTasksRegressor,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultilevelRegressor,
    RobustLowRankRegressor,
    SingleTaskRegressor,
    StreamPreparer,
)
from polytask.cli import main
from polytask.cli.saved_model import load_model
from polytask.datasets import make_related_tasks
from polytask.sources import source as source_module
from tests.sources.conftest import summing_up


def rows_of(classification=False):
    """Weights from a fifth to three; every eighth row, and a whole task, of none."""
    X, y, _ = make_related_tasks(
        12, 4, (20, 40), level=0.5, classification=classification, random_state=3
    )
    rng = np.random.default_rng(0)
    rows = X.assign(y=y, w=rng.uniform(0.2, 3.0, len(y))).sample(frac=1.0, random_state=0)
    rows.loc[(rows["task"] == rows["task"].iloc[0]) | (np.arange(len(rows)) % 8 == 0), "w"] = 0.0
    rows.loc[rows["w"] == 0.0, "y"] = 1.0 if classification else 1e3
    return rows.reset_index(drop=True)


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 100)


def both(model, tmp_path, rows, **how):
    """Fitted to the rows with their weights, and to files of them."""
    rows.to_parquet(tmp_path / "rows.parquet", row_group_size=70)
    here = type(model)(**model.get_params()).fit(
        rows.drop(columns=["y", "w"]), rows["y"], rows["w"]
    )
    there = model.fit_parquet(
        tmp_path / "rows.parquet", target="y", weights="w", client=False, **how
    )
    return here, there


MODELS = [
    MeanRegularizedRegressor(0.02, alpha_common=0.001),
    MeanRegularizedRegressor(),
    SingleTaskRegressor(task_weight="size"),
    LowRankRegressor(0.02),
    LassoTasksRegressor(),
    RobustLowRankRegressor(0.02),
    MultilevelRegressor(),
]


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
@pytest.mark.parametrize("model", MODELS, ids=lambda m: repr(m)[:40])
def test_numbers(model, way, tmp_path):
    here, there = both(model.set_params(task="task"), tmp_path, rows_of())
    assert_allclose(there.coef_, here.coef_, rtol=1e-6, atol=1e-6)
    assert_allclose(there.intercept_, here.intercept_, rtol=1e-6, atol=1e-6)
    assert list(there.tasks_) == list(here.tasks_)
    assert len(there.tasks_) == 11
    assert list(there.feature_names_in_) == list(here.feature_names_in_)


@pytest.mark.parametrize("alpha", [0.02, "cv"])
@pytest.mark.parametrize("unit", [1.0, 1e-3])
def test_labels(alpha, unit, way, tmp_path):
    """In any unit: the weights of a task may add up to less than one."""
    model = MeanRegularizedClassifier(alpha, task="task")
    rows = rows_of(classification=True)
    here, there = both(model, tmp_path, rows.assign(w=unit * rows["w"]))
    assert_allclose(there.coef_, here.coef_, rtol=1e-5, atol=1e-5)


def test_a_weight_of_two_is_the_row_twice(way, tmp_path):
    rows = rows_of().query("w > 0").assign(w=1 + np.arange(len(rows_of().query("w > 0"))) % 3)
    rows.to_parquet(tmp_path / "weighed.parquet")
    rows.loc[rows.index.repeat(rows["w"])].drop(columns="w").to_parquet(tmp_path / "again.parquet")
    one, two = (
        MeanRegularizedRegressor(0.05, task="task"),
        MeanRegularizedRegressor(0.05, task="task"),
    )
    one.fit_parquet(tmp_path / "weighed.parquet", target="y", weights="w", client=False)
    two.fit_parquet(tmp_path / "again.parquet", target="y", client=False)
    assert_allclose(one.coef_, two.coef_, rtol=1e-9)


def test_rows_of_weight_zero_scale_nothing(tmp_path):
    rows = rows_of()
    rows.loc[rows["w"] == 0.0, "x0"] = 1e6
    rows.to_parquet(tmp_path / "rows.parquet")
    prepare, without = StreamPreparer(task="task"), StreamPreparer(task="task")
    model = MeanRegularizedRegressor(0.1, task="task")
    model.fit_parquet(tmp_path / "rows.parquet", target="y", weights="w", prepare=prepare)
    without.fit(rows.query("w > 0").drop(columns=["y", "w"]))
    assert_allclose(prepare.numbers_["x0"], without.numbers_["x0"], rtol=1e-9)


@pytest.mark.parametrize(
    ("weights", "changed", "told"),
    [
        ("w", {"w": -1.0}, "weights must be zero or positive"),
        ("w", {"w": np.nan}, "weights must have a value in every row; 'w' has none in 1 of"),
        ("w", {"w": 1e20}, "weights must be zero, or between"),
        ("none", {}, "weights must be a column of the file; got 'none'"),
        ("y", {}, "weights must be another column than the task and the target; got 'y'"),
        ("word", {}, "weights must be a column of numbers; 'word' holds"),
        ("zero", {}, "weights must be positive somewhere; 'zero' is zero in every row"),
    ],
)
def test_what_cannot_weigh(weights, changed, told, tmp_path):
    rows = rows_of().assign(word="a", zero=0.0)
    for name, value in changed.items():
        rows.loc[5, name] = value
    rows.to_parquet(tmp_path / "rows.parquet")
    model = MeanRegularizedRegressor(0.1, task="task")
    with pytest.raises(ValueError, match=told):
        model.fit_parquet(
            tmp_path / "rows.parquet", target="y", weights=weights, features=["x0", "x1"]
        )
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (MeanRegularizedRegressor("reml", task="task"), "weights are precisions"),
        (CurvedRegressor(task="task"), "rows have weights"),
    ],
)
def test_weighted_sums_that_do_not_serve(model, told, tmp_path):
    rows_of().to_parquet(tmp_path / "rows.parquet")
    with summing_up(), pytest.raises(ValueError, match=f"fewer rows where {told}"):
        model.fit_parquet(tmp_path / "rows.parquet", target="y", weights="w", client=False)


@pytest.mark.parametrize(
    ("weight", "told"),
    [(-1.0, "--weights must be zero or positive; 'w' is -1"), (np.nan, "--weights must have")],
)
def test_what_the_command_refuses(weight, told, tmp_path, capsys):
    rows_of().assign(w=weight).to_parquet(tmp_path / "rows.parquet")
    words = ["fit", str(tmp_path / "rows.parquet"), "--task", "task", "--target", "y", "--stream"]
    assert main([*words, "--weights", "w", "--out", str(tmp_path / "m.skops")]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_comparison_of_the_command(tmp_path):
    """Both doors deal rows to folds in their own way, and agree on what rows of weight count."""
    table, found = tmp_path / "rows.parquet", []
    rows_of().to_parquet(table)
    for door in ("--stream", "--no-stream"):
        words = ["compare", table, "--task", "task", "--target", "y", "--weights", "w", door]
        out = tmp_path / door
        names = "single-task,pooled,mean-regularized"
        assert main([*map(str, words), "--models", names, "--out", str(out)]) == 0
        found.append(json.loads((out / "results.json").read_text(encoding="utf-8")))
    there, here = found
    assert there["data"]["rows"] == here["data"]["rows"]
    assert there["data"]["tasks"] == here["data"]["tasks"] == 11
    for results in found:
        assert results["verdict"]["text"].endswith("Losses are weighted means.")
    one, two = ({m["name"]: m["metric"] for m in r["models"]} for r in found)
    assert set(one) - {"task-means"} == {"single-task", "pooled", "mean-regularized"}
    for name in one:
        assert one[name] == pytest.approx(two[name], rel=0.2)  # the wild rows are a thousand off


def test_the_command(tmp_path, way):
    table, told = tmp_path / "rows.parquet", []
    rows_of().assign(arm=lambda t: np.where(t["x1"] > 0, "a", "b")).to_parquet(table)
    for door in ("--stream", "--no-stream"):
        out, predictions = tmp_path / "m.skops", tmp_path / "p.parquet"
        words = ["fit", table, "--task", "task", "--target", "y", "--weights", "w", door]
        assert main([*map(str, words), "--model", "lasso", "--out", str(out)]) == 0
        assert set(load_model(out)[1].columns) == {"x0", "x1", "x2", "x3", "arm", "task"}
        assert main(["predict", str(out), str(table), "--unseen", "common",
                     "--out", str(predictions)]) == 0  # fmt: skip
        told.append(pd.read_parquet(predictions)["prediction"])
    assert_allclose(*told, rtol=1e-8)
