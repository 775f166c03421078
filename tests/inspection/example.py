"""A small made-up Comparison for tests of what is built on it (report, command line, displays)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from polytask.datasets import make_outlier_tasks, make_related_tasks
from polytask.inspection import NewTasks, TaskLearningCurve, TaskRelatedness
from polytask.inspection.comparison import (
    Comparison,
    DataSummary,
    Interval,
    Provenance,
    Verdict,
)

TITLES = {
    "mean-regularized": "Mean-regularized",
    "task-intercept": "Task intercept",
    "pooled": "Pooled",
    "single-task": "Single-task",
    "gradient-boosting": "Gradient boosting",
    "broken": "Broken",
}
ROLES = ["joint", "joint", "pooled", "baseline", "non-joint", "joint"]
LABELS = ["gains", "gains", "undecided", "undecided", "harmed", "undecided"]


def example_comparison(n_tasks: int = 12, classification: bool = False) -> Comparison:
    """A Comparison of six models, one of them failed; task ids hold markup and a number."""
    primary = "log_loss_tasks" if classification else "rmse_tasks"
    metrics = _metrics(classification)
    gains = _gains(n_tasks)
    return Comparison(
        kind="classification" if classification else "regression",
        task="school",
        target="score",
        baseline="single-task",
        metric=primary,
        metric_title=metrics.set_index("column").loc[primary, "title"],
        greater_is_better=False,
        loss_title="log loss" if classification else "squared error",
        level=0.95,
        verdict=_verdict(gains),
        models=_models(metrics, gains, primary),
        metrics=metrics,
        folds=_folds(metrics),
        tasks=_tasks(gains),
        gains=gains,
        data=_data(n_tasks, classification),
        provenance=_provenance(),
        notes=("Missing feature values were imputed inside the training folds.",),
        warnings=("The model broken failed: ValueError: it cannot be fitted.",),
    )


def _metrics(classification: bool) -> pd.DataFrame:
    names = (
        {"log_loss": "Log loss", "auc": "AUC", "accuracy": "Accuracy", "brier": "Brier score"}
        if classification
        else {"rmse": "RMSE", "mae": "MAE", "ev": "Explained variance"}
    )
    rows = []
    for metric, title in names.items():
        for average, words in (("tasks", "mean over tasks"), ("rows", "over all rows")):
            rows.append(
                {
                    "column": f"{metric}_{average}",
                    "title": f"{title}, {words}",
                    "metric": metric,
                    "average": average,
                    "greater_is_better": metric in ("auc", "accuracy", "ev"),
                }
            )
    return pd.DataFrame(rows)


def _ids(n_tasks: int) -> list[object]:
    ids: list[object] = [f"school {i}" for i in range(n_tasks)]
    ids[0], ids[1] = "<script>alert(1)</script>", 7
    return ids


def _gains(n_tasks: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frames = []
    for name in list(TITLES)[:-1]:
        if name == "single-task":
            continue
        gain = rng.normal(0.04, 0.05, n_tasks)
        frame = pd.DataFrame({"name": name, "task": pd.Series(_ids(n_tasks), dtype=object)})
        frame["rows"] = np.linspace(2, 198, n_tasks).astype(int)
        frame["loss"] = 0.6 - gain
        frame["gain"], frame["low"], frame["high"] = gain, gain - 0.06, gain + 0.06
        frame["relative_gain"] = gain / 0.6
        frame["shrunken"] = 0.5 * gain + 0.02
        frame["shrunken_low"] = frame["shrunken"] - 0.04
        frame["shrunken_high"] = frame["shrunken"] + 0.04
        frame["p"] = np.linspace(0.001, 0.9, n_tasks)
        frame["q"] = np.linspace(0.01, 0.9, n_tasks)
        frame["label"] = [LABELS[i % len(LABELS)] for i in range(n_tasks)]
        frames.append(frame)
    frames[0].loc[2, ["gain", "low", "high", "relative_gain", "p", "q"]] = np.nan
    return pd.concat(frames, ignore_index=True)


def _count(gains: pd.DataFrame, name: str, label: str) -> int:
    return int(((gains["name"] == name) & (gains["label"] == label)).sum())


def _verdict(gains: pd.DataFrame) -> Verdict:
    counts = [_count(gains, "mean-regularized", label) for label in ("gains", "harmed")]
    return Verdict(
        text="Learning the tasks together helps. Mean-regularized has 6 % less squared error "
        "than single-task (95 % interval 4 to 8 %) and 8 % less than pooled. "
        f"It is clearly better on {counts[0]} tasks and clearly worse on {counts[1]}.",
        headline="Learning the tasks together helps.",
        label="joint-helps",
        model="mean-regularized",
        title="Mean-regularized",
        focus="mean-regularized",
        gain=Interval(0.06, 0.04, 0.08, p=0.0004),
        gain_over_pooled=Interval(0.08, 0.05, 0.11, p=0.0001),
        n_gains=counts[0],
        n_harmed=counts[1],
        n_undecided=_count(gains, "mean-regularized", "undecided"),
        n_better=9,
        n_worse=2,
    )


def _models(metrics: pd.DataFrame, gains: pd.DataFrame, primary: str) -> pd.DataFrame:
    rows = []
    for rank, (name, title) in enumerate(TITLES.items()):
        ok = name != "broken"
        value = 0.72 + 0.01 * rank if ok else np.nan
        row = {"name": name, "title": title, "role": ROLES[rank]}
        row["status"], row["reason"] = ("ok", "") if ok else ("failed", "it cannot be fitted")
        row["recommended"] = rank == 0
        row["metric"], row["low"], row["high"] = value, value - 0.02, value + 0.02
        row["spread"] = 0.015 if ok else np.nan
        gain = 0.06 - 0.02 * rank if ok else np.nan
        row["gain"], row["gain_low"], row["gain_high"] = gain, gain - 0.02, gain + 0.02
        row["gain_p"] = 0.01 if ok else np.nan
        for label in ("gains", "harmed", "undecided"):
            row[f"n_{label}"] = _count(gains, name, label)
        mine = gains.loc[gains["name"] == name, "gain"]
        row["n_better"], row["n_worse"] = int((mine > 0).sum()), int((mine < 0).sum())
        row["seconds"] = 0.2 * (rank + 1)
        row["strengths"] = "alpha 0.31" if ok and rank != 4 else ""
        row |= dict.fromkeys(metrics["column"], value)
        rows.append(row)
    return pd.DataFrame(rows)


def _folds(metrics: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for rank, name in enumerate(TITLES):
        for fold in range(5):
            ok = name != "broken"
            row = {"name": name, "repeat": 0, "fold": fold, "n_train": 3248, "n_test": 811}
            row |= {"status": "ok" if ok else "failed", "reason": "" if ok else "no fit"}
            row |= {"seconds": 0.2 * (rank + 1), "strengths": "alpha 0.31"}
            value = 0.72 + 0.01 * rank + rng.normal(0, 0.01) if ok else np.nan
            row |= dict.fromkeys(metrics["column"], value)
            rows.append(row)
    return pd.DataFrame(rows)


def _tasks(gains: pd.DataFrame) -> pd.DataFrame:
    mine = gains[gains["name"] == "mean-regularized"].reset_index(drop=True)
    tasks = mine[["task", "rows"]].copy()
    tasks["loss_baseline"], tasks["loss_pooled"] = 0.6, 0.65
    tasks["loss_focus"] = mine["loss"]
    columns = ["gain", "low", "high", "relative_gain", "shrunken", "shrunken_low"]
    for column in [*columns, "shrunken_high", "p", "q", "label"]:
        tasks[column] = mine[column]
    tasks["rows_to_decide"] = np.where(tasks["label"] == "undecided", 320.0, np.nan)
    return tasks


def _data(n_tasks: int, classification: bool) -> DataSummary:
    return DataSummary(
        rows=1200,
        tasks=n_tasks,
        features=9,
        rows_min=2,
        rows_median=60.0,
        rows_max=198,
        missing_cells=14,
        features_with_missing=("intake",),
        classes=("no", "yes") if classification else (),
        positive_share=0.3 if classification else None,
        target_mean=None if classification else 0.01,
        target_std=None if classification else 0.99,
    )


def _provenance() -> Provenance:
    return Provenance(
        date="2026-01-05T10:00:00+00:00",
        seconds=12.3,
        cv=5,
        n_repeats=1,
        random_state=0,
        splitter="TaskKFold with 5 folds, shuffled, seed 0",
        versions={"python": "3.11.2", "polytask": "0.1.0", "scikit-learn": "1.9.1"},
        method=("Gains are tested task by task on out-of-fold losses.",),
    )


@cache
def example_related(n_tasks: int = 12) -> TaskRelatedness:
    """The relatedness of made-up tasks, with ids that hold markup."""
    X, y, _ = make_outlier_tasks(n_tasks, 4, 20, n_outliers=1, random_state=0)
    ids = np.array([str(i) for i in _ids(n_tasks)], dtype=object)
    X = X.assign(task=ids[X["task"].to_numpy()])
    return TaskRelatedness.from_data(X, y, task="task", n_draws=40)


@cache
def example_curve() -> TaskLearningCurve:
    """A learning curve of made-up tasks."""
    X, y, _ = make_related_tasks(8, 4, 40, deviation=0.8, noise=1.0, random_state=0)
    return TaskLearningCurve.from_data(None, X, y, task="task", rows=(6, 14, 32), n_repeats=1)


@cache
def example_new_tasks() -> NewTasks:
    """What made-up tasks would get as new ones."""
    X, y, _ = make_related_tasks(8, 3, 16, deviation=0.5, random_state=0)
    return NewTasks.from_data(None, X, y, task="task", n_support=(0, 6), cv=2)
