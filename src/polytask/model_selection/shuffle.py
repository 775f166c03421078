"""Random splits that keep every task in training."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from polytask.data.task_spec import Spec
from polytask.model_selection._base import Split, TaskSplitter, in_rounds, measured_labels

__all__ = ["TaskShuffleSplit"]

Size = float | int | None


class TaskShuffleSplit(TaskSplitter):
    """Random splits inside every task: a share of its rows, or so many of them, for training.

    Every task has at least one training row in every split; a task of one row is never tested.
    Fractions hold inside each task up to rounding, up or down at random so that the total over
    tasks is right, too: a test fraction of 0.2 tests a row in about 40 % of the tasks of two rows.

    With ``task=None`` and wide labels, a fraction of the labelled rows is tested, less the rows
    needed for every task to keep a label in training.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    task : str, int or None, default=None
        The task column of X: a name (pandas, polars, pyarrow) or a position (numpy, sparse).
    test_size : float, int or None, default=None
        Fraction of each task's rows, or rows per task. None is what training leaves, or 0.2 if
        ``train_size`` is None, too.
    train_size : float, int or None, default=None
        Fraction of each task's rows, or rows per task; taken before the test rows. A task with
        no more rows than an integer ``train_size`` is in training whole. None is what testing
        leaves.
    random_state : int, RandomState or None, default=None
        Seed; an integer gives the same splits at every call.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask.model_selection import TaskShuffleSplit
    >>> X = np.column_stack([np.arange(9.0), [0, 0, 0, 0, 0, 1, 1, 1, 2]])
    >>> cv = TaskShuffleSplit(1, task=1, train_size=2, random_state=0)
    >>> train, test = next(cv.split(X))
    >>> np.bincount(X[train, 1].astype(int)).tolist()
    [2, 2, 1]
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        task: Spec = None,
        test_size: Size = None,
        train_size: Size = None,
        random_state: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.task = task
        self.test_size = test_size
        self.train_size = train_size
        self.random_state = random_state

    def _splits(self, X: Any, y: Any, groups: Any) -> Iterator[Split]:
        n_splits = self._check_count("n_splits", 1)
        self._check_sizes()
        rng = check_random_state(self.random_state)
        codes = self._codes(X)
        draw = self._draw_wide if self._is_wide(y) else self._draw
        source = measured_labels(y) if self._is_wide(y) else codes
        for _ in range(n_splits):
            train, test = draw(source, rng)
            if not test.size:
                raise ValueError(
                    f"{self._name}: test_size and train_size must leave rows for testing; got "
                    f"{self.test_size!r} and {self.train_size!r}, which leave none in any task."
                )
            yield in_rounds(train, codes), np.sort(test)

    def _draw(self, codes: np.ndarray, rng: np.random.RandomState) -> Split:
        sizes = np.bincount(codes)
        n_train, n_test = self._rows_per_task(sizes, rng)
        order = rng.permutation(codes.size)
        order = order[np.argsort(codes[order], kind="stable")]
        task = codes[order]
        place = np.arange(task.size) - (np.cumsum(sizes) - sizes)[task]
        train = order[place < n_train[task]]
        test = order[place >= (sizes - n_test)[task]]
        return rng.permutation(train), test

    def _rows_per_task(
        self, sizes: np.ndarray, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        train_size, test_size = self._sizes()
        if train_size is None:
            n_test = np.minimum(_take(sizes, test_size, rng), np.maximum(sizes - 1, 0))
            return sizes - n_test, n_test
        n_train = np.clip(_take(sizes, train_size, rng), np.minimum(1, sizes), sizes)
        if test_size is None:
            return n_train, sizes - n_train
        return n_train, np.minimum(_take(sizes, test_size, rng), sizes - n_train)

    def _draw_wide(self, measured: np.ndarray, rng: np.random.RandomState) -> Split:
        train_size, test_size = self._sizes()
        rows = rng.permutation(np.flatnonzero(measured.any(axis=1)))
        n_test = round(rows.size * (1 - train_size if test_size is None else test_size))
        test, train = rows[:n_test], rows[n_test:]
        if train_size is not None:
            train = train[: max(1, round(rows.size * train_size))]
        needed = _one_row_for_each_missing_task(measured, train, test)
        return np.concatenate([train, needed]), np.setdiff1d(test, needed)

    def _sizes(self) -> tuple[Any, Any]:
        """Train and test size, one of them None if it is what the other leaves."""
        if self.train_size is None:
            return None, 0.2 if self.test_size is None else self.test_size
        shares = self._shares()
        if len(shares) == 2 and np.isclose(sum(shares), 1):
            return self.train_size, None
        return self.train_size, self.test_size

    def _shares(self) -> list[float]:
        """Those of the two sizes that are fractions."""
        sizes = (self.test_size, self.train_size)
        return [s for s in sizes if s is not None and not isinstance(s, Integral)]

    def _check_sizes(self) -> None:
        for name in ("test_size", "train_size"):
            size: Any = getattr(self, name)
            whole = isinstance(size, Integral) and not isinstance(size, bool)
            share = isinstance(size, Real) and not isinstance(size, Integral)
            whole, share = whole and size >= 1, share and 0 < size < 1
            if not (size is None or whole or share):
                raise ValueError(
                    f"{self._name}: {name} must be None, a fraction between 0 and 1, or a number "
                    f"of rows per task; got {size!r}."
                )
        shares = self._shares()
        if len(shares) == 2 and sum(shares) > 1 + 1e-12:
            raise ValueError(
                f"{self._name}: test_size + train_size must be at most 1; got {sum(shares):g}."
            )

    def _is_wide(self, y: Any) -> bool:
        wide = super()._is_wide(y)
        if wide and any(isinstance(s, Integral) for s in (self.test_size, self.train_size)):
            raise ValueError(
                f"{self._name}: test_size and train_size must be fractions for wide labels; got "
                f"{self.test_size!r} and {self.train_size!r}. Make a long table to count rows "
                "per task."
            )
        return wide


def _take(sizes: np.ndarray, size: float, rng: np.random.RandomState) -> np.ndarray:
    """Rows to take of each task; a fraction is rounded down or up so that the total is right.

    Systematic sampling: one random offset for all tasks in random order. Rounding each task
    by itself would take no row of any task of two rows at a fraction of 0.2.
    """
    if isinstance(size, Integral):
        return np.minimum(int(size), sizes)
    order = rng.permutation(sizes.size)
    taken = np.floor(np.cumsum(sizes[order] * size) + rng.uniform()).astype(np.intp)
    count = np.empty_like(taken)
    count[order] = np.diff(taken, prepend=0)
    return count


def _one_row_for_each_missing_task(
    measured: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    covered = measured[train].any(axis=0)
    needed = []
    for j in np.flatnonzero(measured.any(axis=0) & ~covered):
        if not covered[j]:
            # the row may be in neither part when both sizes are given
            pool = test if measured[test, j].any() else np.arange(len(measured))
            row = pool[measured[pool, j]][0]
            needed.append(row)
            covered |= measured[row]
    return np.array(needed, dtype=np.intp)
