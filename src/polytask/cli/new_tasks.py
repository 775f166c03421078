"""What a new task with a few rows would get, where it was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from polytask.cli.candidates import BASELINE, BOOSTING, make_candidate

if TYPE_CHECKING:
    from polytask.inspection import NewTasks
    from polytask.tables import TaskTable

__all__ = ["new_tasks_of"]


def new_tasks_of(
    args: argparse.Namespace,
    names: tuple[str, ...],
    table: TaskTable,
    progress: Callable[[int, int, str], None],
) -> tuple[NewTasks | None, tuple[str, ...]]:
    """What was measured on tasks held out whole; None, and why where the table cannot tell."""
    from polytask.inspection import NewTasks

    if not args.new_tasks:
        return None, ()
    candidates = {
        name: make_candidate(name, table, args.seed) for name in names if name != BOOSTING
    }
    try:
        found = NewTasks.from_data(
            candidates,
            table.X,
            table.y,
            task=table.task,
            n_support=args.new_tasks,
            metric=args.metric,
            baseline=BASELINE,
            random_state=args.seed,
            n_jobs=args.jobs,
            progress=progress,
        )
    except ValueError as error:
        return None, (f"There is no answer about new tasks. {error}",)
    return found, ()
