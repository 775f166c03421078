"""The questions beside the comparison: learning curve, new tasks, new levels of groupings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from polytask.cli.candidates import BASELINE, BOOSTING, make_candidate
from polytask.cli.inputs import varying_names

if TYPE_CHECKING:
    from polytask.inspection import NewLevels, NewTasks, TaskLearningCurve
    from polytask.inspection.sample import RowSample
    from polytask.tables import TaskTable

__all__ = ["learning_curve_of", "new_levels_of", "new_tasks_of"]

Progress = Callable[[int, int, str], None]


def learning_curve_of(
    args: argparse.Namespace, names: tuple[str, ...], table: TaskTable, progress: Progress
) -> tuple[TaskLearningCurve | None, tuple[str, ...]]:
    """The curve where it was asked for and the tasks have the rows, else None and why."""
    from polytask.inspection import TaskLearningCurve

    if not args.learning_curve:
        return None, ()
    told = "There is no learning curve."
    return _ask(TaskLearningCurve.from_data, told, args, names, table, progress)


def new_tasks_of(
    args: argparse.Namespace, names: tuple[str, ...], table: TaskTable, progress: Progress
) -> tuple[NewTasks | None, tuple[str, ...]]:
    """What was measured on tasks held out whole; None, and why where the table cannot tell."""
    from polytask.inspection import NewTasks

    if not args.new_tasks:
        return None, ()
    told = "There is no answer about new tasks."
    return _ask(NewTasks.from_data, told, args, names, table, progress, n_support=args.new_tasks)


def new_levels_of(
    models: dict[str, Any], name: str, sample: RowSample, metric: str | None
) -> tuple[NewLevels | None, tuple[str, ...]]:
    """What new levels cost the model of all groupings; None, and why where it cannot tell."""
    from polytask.inspection import NewLevels
    from polytask.inspection.scores import primary_column

    if name not in models:
        return None, ()
    told = "There is no answer about new levels."
    pipeline = models[name]
    if not hasattr(pipeline[-1], "left_out"):
        return None, (f"{told} It is asked of models that take the target as it is.",)
    if sample.time is not None:
        return None, (f"{told} It takes rows as independent, whatever --time says.",)
    found = NewLevels.from_estimator(
        pipeline[-1], pipeline[:-1].transform(sample.X), sample.labels,
        sample_weight=sample.weights, groups=sample.together if sample.grouped else None,
        metric=primary_column(metric, sample.response).rpartition("_")[0],
    )  # fmt: skip
    return found, ()


def _ask(
    question: Callable[..., Any],
    told: str,
    args: argparse.Namespace,
    names: tuple[str, ...],
    table: TaskTable,
    progress: Progress,
    **more: Any,
) -> tuple[Any, tuple[str, ...]]:
    if table.targets:
        return None, (f"{told} It is asked of tables with a task column only.",)
    if table.groups is not None or table.time is not None:
        return None, (f"{told} It takes rows as independent, whatever --groups or --time say.",)
    if table.weights is not None:
        return None, (f"{told} It takes all rows to count alike, whatever --weights says.",)
    candidates = {
        name: make_candidate(name, table, args.seed, varying_names(args))
        for name in names
        if name != BOOSTING
    }
    try:
        found = question(
            candidates,
            table.X,
            table.y,
            task=table.spec,
            metric=args.metric,
            baseline=BASELINE,
            random_state=args.seed,
            n_jobs=args.jobs,
            progress=progress,
            **more,
        )
    except ValueError as error:
        return None, (f"{told} {error}",)
    return found, ()
