"""K folds that keep every task in training."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target

from polytask.data.folds import keep_levels, task_folds, wide_folds
from polytask.data.held_rows import group_folds, read_held
from polytask.data.task_spec import Spec
from polytask.model_selection._base import Split, TaskSplitter, in_rounds, measured_labels

__all__ = ["TaskKFold"]


class TaskKFold(TaskSplitter):
    """K folds inside every task: each fold's training part holds rows of every task.

    A task of n_i rows has floor or ceil(n_i / K) of them in each fold, so a task of fewer than K
    rows is spread over n_i folds. A task of one row is always in training and never tested
    (`always_train` names such rows); all other rows are tested exactly once. Fold sizes differ
    by one row at most (with ``stratify=True``, by a few).

    With ``groups`` in `split` the rows of a group stay in one fold, and groups are dealt as rows
    are; where all groups of a task would meet in one fold, one of them is always in training.

    Of several groupings the first is the task; of every level of the others, too, a row stays in
    training. With ``task=None`` and wide labels Y (n, m), rows are dealt so that every task keeps
    at least one label in training; rows without any label stay in training. With ``task=None``
    and 1-D y it is a K-fold over the rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds K, from 2 to the number of rows of the largest task.
    task : str, int, list of them or None, default=None
        The task column of X: a name (pandas, polars, pyarrow) or a position (numpy, sparse); or
        several groupings, as in `MultilevelRegressor`.
    shuffle : bool, default=True
        Whether rows are dealt in random order: every K rows that follow one another in a task (and
        class) go to the K folds in an order of chance. False deals them in turn.
    stratify : bool, default=False
        Whether each class of a task is spread evenly, too (1-D y of classes).
    random_state : int, RandomState or None, default=None
        Seed of the shuffle; an integer gives the same folds at every call.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask.model_selection import TaskKFold
    >>> X = np.column_stack([np.arange(7.0), [0, 0, 0, 0, 1, 1, 2]])
    >>> cv = TaskKFold(2, task=-1, random_state=0)
    >>> [sorted(set(X[train, -1].tolist())) for train, test in cv.split(X)]
    [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    >>> cv.always_train(X)
    array([6])
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        task: Spec = None,
        shuffle: bool = True,
        stratify: bool = False,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.task = task
        self.shuffle = shuffle
        self.stratify = stratify
        self.random_state = random_state

    _takes_groups = True

    def always_train(self, X: Any, y: Any = None, groups: Any = None) -> np.ndarray:
        """Rows that are in training in every fold and so never tested, as row numbers."""
        return np.flatnonzero(self._folds(X, y, groups)[0] < 0)

    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[Split]:
        fold, codes, order = self._folds(X, y, groups)
        for k in range(self.n_splits):
            train = in_rounds(order[fold[order] != k], codes)
            yield train, np.flatnonzero(fold == k)

    def _folds(self, X: Any, y: Any, groups: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fold and task of each row, and an order of the rows."""
        n_splits = self._check_count("n_splits", 2)
        if self.random_state is not None and not self.shuffle:
            raise ValueError(
                f"TaskKFold: random_state must be None when shuffle=False; "
                f"got {self.random_state!r}. Set shuffle=True."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        codes = self._codes(X)
        group, _ = read_held(groups, None, X, self._name)
        if group is not None:
            fold = self._of_groups(codes, group, y, n_splits, rng)
        elif self._is_wide(y):
            fold = self._wide(measured_labels(y), n_splits, rng)
        else:
            self._check_sizes(np.bincount(codes))
            seed = None if rng is None else self._seed(rng)
            fold = task_folds(codes, n_splits, seed, self._labels(y) if self.stratify else None)
            fold = keep_levels(fold, self._further_codes(X))
        order = np.arange(codes.size) if rng is None else rng.permutation(codes.size)
        return fold, codes, order

    def _of_groups(
        self, codes: np.ndarray, group: np.ndarray, y: Any, n_splits: int, rng: Any
    ) -> np.ndarray:
        if self._is_wide(y):
            row, codes = np.nonzero(measured_labels(y))
            found = self._of_groups_in(codes, group[row], None, n_splits, rng)
            fold = np.full(len(group), -1)
            fold[row] = found
            return fold
        labels = self._labels(y) if self.stratify else None
        return self._of_groups_in(codes, group, labels, n_splits, rng)

    def _of_groups_in(
        self, codes: np.ndarray, group: np.ndarray, labels: Any, n_splits: int, rng: Any
    ) -> np.ndarray:
        pairs = np.unique(np.column_stack([codes, group]), axis=0)
        self._check_sizes(np.bincount(pairs[:, 0]), "groups")
        seed = None if rng is None else self._seed(rng)
        return group_folds(codes, group, n_splits, seed, labels)

    def _seed(self, rng: Any) -> int:
        """An integer is the seed itself, so that the folds are known wherever the rows are."""
        given = self.random_state
        return int(given) if isinstance(given, Integral) else int(rng.randint(2**31 - 1))

    def _wide(self, measured: np.ndarray, n_splits: int, rng: Any) -> np.ndarray:
        if self.stratify:
            raise ValueError(
                "TaskKFold: stratify must be False for wide labels; got True. "
                "Make a long table to stratify inside tasks."
            )
        self._check_sizes(measured.sum(axis=0))
        return wide_folds(measured, n_splits, rng)

    def _check_sizes(self, sizes: np.ndarray, what: str = "rows") -> None:
        largest = int(sizes.max(initial=0))
        if self.n_splits > largest:
            few = f"Take n_splits={largest} or fewer."
            remedy = few if largest > 1 else "Nothing can be tested."
            raise ValueError(
                f"TaskKFold: n_splits must be at most {largest}, the {what} of the largest task; "
                f"got {self.n_splits}. {remedy}"
            )

    def _labels(self, y: Any) -> np.ndarray:
        kind = "none" if y is None else type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"TaskKFold: y must hold classes when stratify=True; got {kind} y. "
                "Set stratify=False."
            )
        return np.asarray(y).ravel()
