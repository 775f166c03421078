"""compare_tasks end to end: contracts, containers, failures, and worlds with a known answer."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from polytask.inspection import compare_tasks
from polytask.inspection.comparison import TASK_LABELS, VERDICT_LABELS
from polytask.models.mean_regularized import MeanRegularizedRegressor
from polytask.models.single_task import SingleTaskRegressor
from tests.inspection.example import example_comparison
from tests.inspection.helpers import TaskMean, table

MODELS = ["single-task", "pooled", "mean-regularized"]


@pytest.fixture(scope="module")
def related():
    X, y = table("related", m=24, n=12, seed=1)
    return compare_tasks(dict.fromkeys(MODELS), X, y, task="task", cv=3)


def simple(**more):
    return {"single-task": TaskMean("task"), "blend": TaskMean("task", 0.5), **more}


def test_related_tasks_are_seen_to_help(related):
    verdict = related.verdict
    assert verdict.label == "joint-helps"
    assert verdict.model == verdict.focus == "mean-regularized"
    assert 0 < verdict.gain.low < verdict.gain.value < verdict.gain.high
    assert verdict.n_better > verdict.n_worse
    assert verdict.n_gains + verdict.n_harmed + verdict.n_undecided == 24
    assert verdict.text.startswith(verdict.headline)


def test_tables_have_the_promised_columns(related):
    example = example_comparison()
    for name in ("tasks", "gains"):
        assert list(getattr(related, name)) == list(getattr(example, name))
    made = [c for c in related.models if c not in set(related.metrics["column"])]
    assert made == [c for c in example.models if c not in set(example.metrics["column"])]
    assert set(related.metrics["column"]) <= set(related.models) & set(related.folds)
    assert len(related.folds) == 3 * (3 + 1)  # the mean of each task is always there
    assert set(related.tasks["label"]) <= set(TASK_LABELS)
    assert related.verdict.label in VERDICT_LABELS


def test_gains_add_up(related):
    tasks, models = related.tasks, related.models.set_index("name")
    np.testing.assert_allclose(tasks["gain"], tasks["loss_baseline"] - tasks["loss_focus"])
    share = tasks["gain"].mean() / tasks["loss_baseline"].mean()
    assert related.verdict.gain.value == pytest.approx(share)
    assert models.loc["mean-regularized", "gain"] == pytest.approx(share)
    rmse = np.sqrt(tasks["loss_focus"]).mean()
    assert models.loc["mean-regularized", "rmse_tasks"] == pytest.approx(rmse)
    assert models["metric"].is_monotonic_increasing


def test_json_has_no_nan_and_keeps_ids(related):
    found = related.to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["verdict"]["label"] == "joint-helps"
    assert [task["id"] for task in found["tasks"]] == [f"t{i:02d}" for i in range(24)]
    assert {"name", "metric", "low", "high", "seconds"} <= set(found["models"][0])


def test_one_truth_needs_one_model():
    X, y = table("same")
    found = compare_tasks(dict.fromkeys(MODELS), X, y, task="task", cv=3)
    assert found.verdict.label == "pooling-suffices"
    assert found.verdict.model == "mean-regularized"  # as good, and safe if tasks differ


@pytest.mark.parametrize("seed", [0, 1])
def test_independent_tasks_do_not_help(seed):
    X, y = table("independent", n=40, seed=seed)
    found = compare_tasks(dict.fromkeys(MODELS), X, y, task="task", cv=3)
    assert found.verdict.label == "no-clear-gain"
    assert found.verdict.model == "mean-regularized"  # as good, and safe if tasks are alike
    assert found.verdict.n_gains == 0


def test_boosting_wins_where_the_truth_is_curved():
    X, y = table("curved", m=8, n=60)
    names = [*MODELS, "gradient-boosting"]
    found = compare_tasks(dict.fromkeys(names), X, y, task="task", cv=3)
    assert found.verdict.label == "non-joint-best"
    assert found.verdict.model == "gradient-boosting"
    assert found.verdict.focus in ("pooled", "mean-regularized")


def test_classification_runs_on_labels_of_any_kind():
    X, y = table("related", n=40)
    labels = pd.Series(np.where(y > 0, "yes", "no"), name="passed")
    found = compare_tasks(dict.fromkeys(MODELS), X, labels, task="task", cv=3)
    assert found.kind == "classification"
    assert found.data.classes == ("no", "yes")
    assert found.metric == "log_loss_tasks"
    assert found.loss_title == "log loss"
    found_auc = found.models.query("role != 'means'")["auc_tasks"]
    assert found_auc.between(0.6, 1).all()


@pytest.mark.parametrize("metric", ["mae", "nmse", "rmse_rows", "explained_variance_within"])
def test_any_metric_can_rank(metric):
    X, y = table(m=4, n=9)
    found = compare_tasks(simple(), X, y, task="task", cv=3, metric=metric)
    assert found.metric.startswith(metric)
    from_best = found.models["metric"].to_numpy()
    step = np.diff(from_best)
    assert ((step < 0) if found.greater_is_better else (step > 0)).all()
    title = {"mae": "absolute error", "nmse": "squared error per variance of the task"}
    assert found.loss_title == title.get(metric, "squared error")


def test_every_container_gives_the_same_answer():
    X, y = table(m=5, n=8)
    X["task"] = X["task"].str[1:].astype(int)
    position = X.shape[1] - 1
    frames = [(X, "task"), (pl.from_pandas(X), "task"), (X.to_numpy(), position)]
    gains = []
    for frame, task in frames:
        models = {
            "single-task": SingleTaskRegressor(task=task, alpha=0.1),
            "mean-regularized": MeanRegularizedRegressor(task=task, alpha=0.1),
        }
        found = compare_tasks(models, frame, y.to_numpy(), task=task, cv=2)
        assert list(found.tasks["task"]) == [0, 1, 2, 3, 4]
        gains.append(found.tasks["gain"].to_numpy())
    np.testing.assert_allclose(gains[1], gains[0])
    np.testing.assert_allclose(gains[2], gains[0])


def test_jobs_and_repetition_change_nothing():
    X, y = table(m=4, n=9)
    runs = [compare_tasks(simple(), X, y, task="task", cv=3, n_jobs=jobs) for jobs in (1, 2)]
    pd.testing.assert_frame_equal(runs[0].tasks, runs[1].tasks)


def test_repeats_use_other_folds_and_are_averaged():
    X, y = table(m=4, n=9)
    once = compare_tasks(simple(), X, y, task="task", cv=3)
    twice = compare_tasks(simple(), X, y, task="task", cv=3, n_repeats=2)
    assert sorted(twice.folds["repeat"].unique()) == [0, 1]
    first = twice.folds[twice.folds["repeat"] == 0].reset_index(drop=True)
    np.testing.assert_allclose(first["rmse_rows"], once.folds["rmse_rows"])
    assert not np.allclose(twice.tasks["gain"], once.tasks["gain"])


def test_pipelines_strengths_and_progress():
    X, y = table(m=4, n=9)
    told = []
    models = simple(blend=make_pipeline(FunctionTransformer(), TaskMean("task", 0.25)))
    found = compare_tasks(models, X, y, task="task", cv=3, progress=lambda *a: told.append(a))
    assert [done for done, _, _ in told] == list(range(1, 10))
    assert told[0][1:] == (9, "single-task, fold 1 of 3")
    models = found.models.set_index("name")
    assert models.loc["blend", "strengths"] == "blend 0.25"
    assert models.loc["blend", "role"] == "joint"


def test_a_model_that_fails_is_reported_and_the_others_go_on():
    X, y = table(m=4, n=9)
    lowest = float(np.sort(y)[0])  # only the fold that tests this row lacks it in training
    broken = {
        "sometimes": TaskMean("task", fail_on=lowest),
        "never": TaskMean("task", infinite=True),
    }
    found = compare_tasks(simple(**broken), X, y, task="task", cv=3)
    models = found.models.set_index("name")
    assert list(models["status"]) == ["ok", "ok", "ok", "failed", "failed"]
    assert models.loc["sometimes", "reason"] == "RuntimeError: this fold cannot be fitted"
    assert "not finite" in models.loc["never", "reason"]
    assert set(found.folds.query("name == 'sometimes'")["status"]) == {"ok", "failed"}
    assert len(found.warnings) >= 2
    assert found.verdict.label != "undetermined"
    json.dumps(found.to_dict(), allow_nan=False)


def test_no_verdict_without_the_baseline():
    X, y = table(m=4, n=9)
    models = {"single-task": TaskMean("task", infinite=True), "blend": TaskMean("task", 0.5)}
    found = compare_tasks(models, X, y, task="task", cv=3)
    assert found.verdict.label == "undetermined"
    assert found.tasks["gain"].isna().all()
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_task_of_one_row_trains_and_is_told():
    X, y = table(m=4, n=9)
    X.loc[0, "task"] = "lonely"
    found = compare_tasks(simple(), X, y, task="task", cv=3)
    lonely = found.tasks.set_index("task").loc["lonely"]
    assert lonely["rows"] == 1
    assert np.isnan(lonely["gain"])
    assert lonely["label"] == "undecided"
    assert np.isfinite(lonely["shrunken"])
    assert "1 of 5 tasks" in found.notes[0]


def test_tasks_of_unlike_scale_are_warned_about():
    X, y = table(m=12, n=9)
    y = y.where(X["task"] != "t03", 1000 * y)
    found = compare_tasks(simple(), X, y, task="task", cv=3)
    assert any("different units" in warning for warning in found.warnings)


def test_missing_features_are_counted():
    X, y = table(m=4, n=9)
    X.loc[[0, 5], "x1"] = np.nan
    found = compare_tasks(simple(), X, y, task="task", cv=3)
    assert found.data.missing_cells == 2
    assert found.data.features_with_missing == ("x1",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": "other"}, "baseline must be one of the estimators"),
        ({"estimators": {}}, "estimators must name at least one"),
        ({"estimators": {"nonsense": None}}, "must be one of single-task"),
        ({"estimators": {"single-task": TaskMean()}}, "task of 'single-task' must be"),
        ({"metric": "auc"}, "metric must be one of rmse"),
        ({"n_repeats": 0}, "n_repeats must be at least 1"),
        ({"task": "x9"}, "task must be a column of X"),
        ({"y": np.full(36, np.nan)}, "y must have no missing values"),
        ({"y": np.array(["a", "b", "c"] * 12)}, "y must be numbers"),
        ({"X": table(m=1, n=36)[0]}, "at least 2 tasks"),
        (
            {"estimators": {"single-task": DummyRegressor(), "b": DummyClassifier()}},
            "all regressors or all classifiers",
        ),
    ],
)
def test_wrong_use_is_explained(change, message):
    X, y = table(m=4, n=9)
    call = {"estimators": simple(), "X": X, "y": y, "task": "task", "cv": 3} | change
    with pytest.raises(ValueError, match=message):
        compare_tasks(**call)


def test_three_classes_are_compared():
    X, number = table(m=4, n=15)
    y = np.array(["a", "b", "c"])[np.digitize(number, np.quantile(number, [0.3, 0.7]))]
    found = compare_tasks({"single-task": None, "pooled": None}, X, y, task="task", cv=3)
    assert found.data.classes == ("a", "b", "c")
    assert found.data.positive_share is None
    table_ = found.models.set_index("name")
    assert {"log_loss_tasks", "auc_rows", "brier_rows", "accuracy_rows"} <= set(table_)
    assert (table_["log_loss_rows"] < np.log(3)).all()
    assert (table_.drop("task-means")["auc_rows"] > 0.6).all()


@pytest.mark.parametrize(
    ("kind", "largest"),
    [
        ("numbers", 2),
        ("labels", 2),
        ("counts", 4),
        *(
            pytest.param(kind, largest, marks=pytest.mark.slow)
            for kind, largest in [("numbers", 3), ("numbers", 4), ("labels", 3), ("labels", 4),
                                  ("counts", 2), ("counts", 3)]
        ),
    ],
)  # fmt: skip
def test_tasks_of_few_rows_are_compared_by_fewer_folds(largest, kind):
    rng = np.random.default_rng(largest)
    task = np.repeat(np.arange(12), [largest, *rng.integers(1, largest + 1, 11)])
    X = rng.normal(size=(len(task), 2))
    y = X[:, 0] + rng.normal(size=len(task))
    y = {"numbers": y, "labels": y > 0, "counts": rng.poisson(np.exp(y / 2))}[kind]
    names = {"single-task": None, "pooled": None, "mean-regularized": None}
    found = compare_tasks(names, np.column_stack([X, task]), y, task=2)
    assert (found.models["status"] == "ok").all()
    assert found.verdict.label != "undetermined"
    assert found.provenance.cv == largest
    (told,) = [note for note in found.notes if "instead of 5" in note]
    assert told.startswith(f"{largest} folds instead of 5: the largest task has {largest} rows")


def test_tasks_of_one_row_cannot_be_scored():
    X = np.column_stack([np.arange(6.0), np.arange(6)])
    with pytest.raises(ValueError, match="a task must have two rows to be scored"):
        compare_tasks({"single-task": None}, X, np.arange(6.0), task=1)


def test_models_that_take_no_groups_are_named():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(24), 4)
    X = np.column_stack([rng.normal(size=(96, 2)), who // 8])
    models = {"single-task": None, "ridge": RidgeCV(cv=3), "plain": Ridge()}
    found = compare_tasks(models, X, X[:, 0] + rng.normal(size=96), task=2, groups=who, cv=3)
    (told,) = [note for note in found.notes if "does not take groups" in note]
    assert told.startswith("Ridge ")
