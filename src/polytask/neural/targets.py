"""Targets of all tasks, without their features: what units, splits and batches are made from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from polytask.data import TaskData
from polytask.data.folds import task_folds, wide_folds
from polytask.data.held_rows import validation_part

__all__ = ["Targets", "hold_out", "targets_of"]


@dataclass(frozen=True, eq=False)
class Targets:
    """N observations of m tasks, sorted by task.

    Parameters
    ----------
    row : ndarray of shape (N,)
        Row of the table.
    code : ndarray of shape (N,)
        Task, 0 … m-1.
    y : ndarray of shape (N,)
    sample_weight : ndarray of shape (N,)
        Positive weight inside the task.
    share : ndarray of shape (m,)
        Weight of each task in R; sums to one, zero for a task without observations.
    """

    row: np.ndarray
    code: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray
    share: np.ndarray

    @property
    def n_tasks(self) -> int:
        """Number of tasks m."""
        return len(self.share)

    @property
    def weight(self) -> np.ndarray:
        """Weight of each observation in the mean loss of its own task, shape (N,)."""
        total = np.bincount(self.code, weights=self.sample_weight, minlength=self.n_tasks)
        return self.sample_weight / total[self.code]

    def subset(self, keep: np.ndarray) -> Targets:
        """The observations where ``keep`` (N,) is true, with the shares of tasks renewed."""
        present = np.bincount(self.code[keep], minlength=self.n_tasks) > 0
        share = np.where(present, self.share, 0.0)
        return Targets(
            self.row[keep], self.code[keep], self.y[keep], self.sample_weight[keep],
            share / share.sum(),
        )  # fmt: skip


def targets_of(data: TaskData, tasks: np.ndarray | None = None) -> Targets:
    """Targets of parsed data; ``tasks`` puts them among the tasks of an earlier fit."""
    found = Targets(data.row, data.code, data.y, data.sample_weight, data.share)
    if tasks is None:
        return found
    order = np.argsort(tasks)
    place = order[np.minimum(np.searchsorted(tasks, data.tasks, sorter=order), len(tasks) - 1)]
    new = data.tasks[tasks[place] != data.tasks]
    if len(new):
        raise ValueError(
            f"partial_fit: every task must have been in the first call; got {new[:5].tolist()}. "
            "Fit again with all tasks."
        )
    share = np.zeros(len(tasks))
    share[place] = data.share
    code = place[found.code]
    by_task = np.argsort(code, kind="stable")
    moved = replace(found, code=code, share=share)
    return replace(
        moved, row=moved.row[by_task], code=code[by_task], y=moved.y[by_task],
        sample_weight=moved.sample_weight[by_task],
    )  # fmt: skip


def hold_out(
    targets: Targets, fraction: float, wide: bool, rng: np.random.RandomState,
    group: np.ndarray | None = None, time: np.ndarray | None = None,
) -> tuple[Targets, Targets | None]:  # fmt: skip
    """A training part with rows of every task, and a validation part (None if no task spares one).

    With wide targets whole rows are held out, so that no row helps to judge itself. So are whole
    groups, or the latest rows, where observations have them.
    """
    n_splits = max(2, round(1.0 / fraction))
    if group is not None or time is not None:
        held = validation_part(targets.code, group, time, n_splits)
    elif wide:
        measured = np.zeros((targets.row.max() + 1, targets.n_tasks), dtype=bool)
        measured[targets.row, targets.code] = True
        held = wide_folds(measured, n_splits, rng)[targets.row] == 0
    else:
        code = targets.code
        order, tasks = rng.permutation(len(code)), rng.permutation(code.max() + 1)
        held = np.empty(len(code), dtype=bool)
        held[order] = task_folds(tasks[code[order]], n_splits) == 0
    if not held.any():
        return targets, None
    return targets.subset(~held), targets.subset(held)
