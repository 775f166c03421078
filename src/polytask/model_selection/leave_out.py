"""Whole tasks held out: how well does a model serve a task that it has never, or hardly, seen?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from polytask.data.task_spec import Spec
from polytask.model_selection._base import Split, TaskSplitter, in_rounds

__all__ = ["LeaveTasksOut"]


class LeaveTasksOut(TaskSplitter):
    """Hold whole tasks out; optionally give training a few rows of each of them.

    With ``n_support=0`` the estimator must be able to predict for unseen tasks
    (``unseen="common"``). With ``n_support=k``, k random rows of each held-out task are in
    training and its other rows are tested: few-shot adaptation. A task with no more than k
    rows cannot be tested and is in training always (`always_train` names its rows); every
    other task is held out exactly once.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits; each holds out about 1 / n_splits of the tasks.
    task : str or int
        The task column of X: a name (pandas, polars, pyarrow) or a position (numpy, sparse).
    n_tasks_out : int, optional
        Number of tasks to hold out in each split instead (1 = leave one task out); the number
        of splits then follows from X, and ``n_splits`` is not used.
    n_support : int, default=0
        Rows of each held-out task that stay in training.
    random_state : int, RandomState or None, default=None
        Seed of the choice of tasks and support rows.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask.model_selection import LeaveTasksOut
    >>> X = np.column_stack([np.arange(8.0), [0, 0, 0, 1, 1, 2, 2, 2]])
    >>> cv = LeaveTasksOut(task=1, n_tasks_out=1, n_support=1, random_state=0)
    >>> cv.get_n_splits(X)
    3
    >>> sorted(len(test) for train, test in cv.split(X))
    [1, 2, 2]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        task: Spec = None,
        n_tasks_out: int | None = None,
        n_support: int = 0,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.task = task
        self.n_tasks_out = n_tasks_out
        self.n_support = n_support
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits; X is needed where ``n_tasks_out`` is given."""
        if self.n_tasks_out is None:
            return self._check_count("n_splits", 2)
        if X is None:
            raise ValueError("LeaveTasksOut: X must be given to count splits of n_tasks_out tasks.")
        return self._count(self._testable(self._task_codes(X)).size)

    def always_train(self, X: Any, y: Any = None) -> np.ndarray:
        """Rows of tasks too small to be held out, as row numbers."""
        codes = self._task_codes(X)
        return np.flatnonzero(~np.isin(codes, self._testable(codes)))

    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[Split]:
        codes = self._task_codes(X)
        rng = check_random_state(self.random_state)
        tasks = rng.permutation(self._testable(codes))
        for held_out in np.array_split(tasks, self._count(tasks.size)):
            rows = rng.permutation(codes.size)
            out = np.isin(codes[rows], held_out)
            support, test = self._support(rows[out], codes)
            train = rng.permutation(np.concatenate([rows[~out], support]))
            yield in_rounds(train, codes), np.sort(test)

    def _support(self, rows: np.ndarray, codes: np.ndarray) -> Split:
        """The first n_support rows of each task, and the others."""
        by_round = in_rounds(rows, codes)
        n_support = self.n_support * np.unique(codes[rows]).size
        return by_round[:n_support], by_round[n_support:]

    def _task_codes(self, X: Any) -> np.ndarray:
        if self.task is None:
            raise ValueError(
                "LeaveTasksOut: task must be a column of X; got None. "
                "Wide labels must be made a long table first."
            )
        return self._codes(X)

    def _testable(self, codes: np.ndarray) -> np.ndarray:
        n_support = self._check_count("n_support", 0)
        tasks = np.flatnonzero(np.bincount(codes) > n_support)
        if not tasks.size:
            raise ValueError(
                f"LeaveTasksOut: n_support must be less than the rows of the largest task, "
                f"{np.bincount(codes).max()}; got {n_support}."
            )
        return tasks

    def _count(self, n_tasks: int) -> int:
        """Number of splits of so many testable tasks; at least one other task must remain."""
        if self.n_tasks_out is None:
            n_splits = self._check_count("n_splits", 2)
            if n_splits > n_tasks:
                raise ValueError(
                    f"LeaveTasksOut: n_splits must be at most {n_tasks}, the number of tasks that "
                    f"can be held out; got {n_splits}."
                )
            return n_splits
        out = self._check_count("n_tasks_out", 1)
        if out >= n_tasks:
            raise ValueError(
                f"LeaveTasksOut: n_tasks_out must be less than {n_tasks}, the number of tasks that "
                f"can be held out; got {out}."
            )
        return -(-n_tasks // out)
