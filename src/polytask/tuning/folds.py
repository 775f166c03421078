"""Cross-validated risk on task-aware folds, with warm starts along a path."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.data import TaskData
from polytask.data.folds import task_folds
from polytask.problem import Problem
from polytask.solvers import select
from polytask.structures import Blocks

__all__ = ["KFoldRisk"]


class KFoldRisk:
    """Held-out risk of problems on the same data, for losses without a closed form.

    Parameters
    ----------
    data : TaskData
    n_splits : int
        Folds; every task keeps rows in every training part, classes are spread inside a task. Rows
        that all tasks share go to one fold, so that the parts share theirs.
    tol, max_iter : float, int
        Passed to the solver.
    """

    def __init__(self, data: TaskData, n_splits: int, tol: float, max_iter: int) -> None:
        fold = _folds(data, n_splits)
        used = [k for k in range(n_splits) if (fold == k).any()]
        self.parts = [(data.subset(fold != k), data.subset(fold == k)) for k in used]
        self.held_out_weight = [data.weight[fold == k] for k in used]
        self.tol, self.max_iter = tol, max_iter
        self._starts: list[Blocks | None] = [None] * len(self.parts)

    def __call__(self, make: Callable[[TaskData], Problem]) -> float:
        """sum_j omega_j loss(y_j, f_j) over held-out observations, as a weighted mean."""
        total, weight = 0.0, 0.0
        for k, (train, test) in enumerate(self.parts):
            problem = make(train)
            solver = select(problem)
            solution = solver.solve(problem, self._starts[k], self.tol, self.max_iter)
            self._starts[k] = solution.blocks
            omega = self.held_out_weight[k]
            f = test.design.predict(solution.coefs)
            total += float(omega @ problem.loss.value(test.y, f))
            weight += float(omega.sum())
        return total / weight


def _folds(data: TaskData, n_splits: int) -> np.ndarray:
    """Fold of every observation: classes spread in each task, shared rows whole in one fold."""
    rng = np.random.default_rng(0)  # folds are part of the definition of the choice
    if data.design.shared:
        rows = task_folds(np.zeros(int(data.sizes[0]), dtype=int), n_splits, rng)
        return np.tile(rows, data.n_tasks)
    classes = data.y if np.isin(data.y, (0.0, 1.0)).all() else None
    return task_folds(data.code, n_splits, rng, labels=classes)
