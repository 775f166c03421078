"""What the splitters share: reading tasks from X, and the order of the training rows."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from polytask.data.columns import read_task_ids
from polytask.data.frames import frame_columns, is_frame
from polytask.data.grouping import by_first_row
from polytask.data.groupings import Grouping, read_groupings
from polytask.data.task_spec import Spec, spelled_out

__all__ = ["Split", "TaskSplitter", "in_rounds", "measured_labels", "read_codes"]

Split = tuple[np.ndarray, np.ndarray]


def measured_labels(y: Any) -> np.ndarray:
    """Whether each entry of ``y`` is there (not NaN, null or NA), whatever the container."""
    return ~pd.isna(np.asarray(y))


def read_codes(X: Any, task: Spec, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Task of each row as a code 0 … m-1, and the m ids; without a task column, one task."""
    if task is None:
        return np.zeros(X.shape[0] if hasattr(X, "shape") else len(X), np.intp), np.array([None])
    try:
        ids = read_task_ids(X, task)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{owner}: {error}") from error
    tasks, codes = np.unique(ids, return_inverse=True)
    return codes.astype(np.intp), tasks


class TaskSplitter(BaseCrossValidator):
    """A scikit-learn splitter that reads the tasks from X, or from the columns of wide labels."""

    task: Spec
    n_splits: int
    _takes_groups = False

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Row numbers for training and for testing, one pair per split.

        Training rows come in rounds, one row of every task in each. So the first k·m of them
        (what ``learning_curve`` takes without its own shuffle) hold k rows of every task.

        Parameters
        ----------
        X : table of shape (n, d + 1)
            With the task column, unless ``task`` is None.
        y : array-like of shape (n,) or (n, m), optional
            Needed for stratification and for wide labels (2-D, NaN = not measured).
        groups : array-like of shape (n,), optional
            Who each row is of: `TaskKFold` keeps the rows of one in one fold. Other splitters
            ignore it, since their groups are the tasks.

        Yields
        ------
        train, test : int ndarrays
        """
        if groups is not None and not self._takes_groups:
            warnings.warn(
                f"{self._name}: groups are ignored; the tasks come from the column task.",
                stacklevel=2,
            )
        is_frame(X)  # refuses tables that are none
        X, y = indexable(X, y)
        yield from self._splits(X, y, groups if self._takes_groups else None)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits."""
        return self.n_splits

    @abstractmethod
    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[Split]: ...

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _codes(self, X: Any) -> np.ndarray:
        """Tasks numbered by their first row, so that it does not matter what they are called."""
        return by_first_row(read_codes(X, self.task, self._name)[0])

    def _further_codes(self, X: Any) -> list[np.ndarray]:
        """Levels of the rows in every grouping but the first."""
        further = spelled_out(self.task, frame_columns(X))[1:]
        ids = read_groupings(X, further)
        return [Grouping.of(names, [ids[name] for name in names])[1] for names in further]

    def _is_wide(self, y: Any) -> bool:
        return self.task is None and y is not None and np.ndim(y) == 2

    def _check_count(self, name: str, least: int) -> int:
        value = getattr(self, name)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"{self._name}: {name} must be an integer of at least {least}; got {value!r}."
            )
        return int(value)


def in_rounds(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The rows reordered: first the first row of every task, then the second, and so on."""
    task = codes[rows]
    by_task = np.argsort(task, kind="stable")
    sorted_task = task[by_task]
    turn = np.empty(rows.size, dtype=np.intp)
    turn[by_task] = np.arange(rows.size) - np.searchsorted(sorted_task, sorted_task)
    return rows[np.argsort(turn, kind="stable")]
