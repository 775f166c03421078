"""TaskMoments: all that a squared-loss fit needs of the rows, mergeable by ``+``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d

from polytask.data.accumulate import MomentSums
from polytask.data.cells import combined, id_columns
from polytask.data.columns import drop_task_column, read_task_ids
from polytask.data.frames import frame_columns, refuse_dates, to_array
from polytask.data.moments_file import read_moments_file, write_moments_file
from polytask.data.task_spec import Spec, column_names, spelled_out
from polytask.data.weights import check_weights

__all__ = ["TaskMoments"]


@dataclass(frozen=True, eq=False)
class TaskMoments:
    """Sums over the rows of each task: counts, sum x, sum y, sum x x', sum x y, sum y².

    With z = (1, x - shift_x, y - shift_y), task i and fold k keep ``S_ik = sum z z'``. The shift
    is one reference value per feature (the mean of the first batch), so that a feature with mean
    1e8 keeps its digits; parts with different shifts are brought to one by exact algebra.

    Parameters
    ----------
    tasks : ndarray of shape (m,)
        Task ids, sorted; with a wide y the names of its columns, in their order.
    shift : ndarray of shape (d + 1,)
        Reference of each feature and, last, of the target; in their units.
    sums : ndarray of shape (m, n_folds, d + 2, d + 2)
        S_ik. With sample weights each row counts by its weight.
    rows : int ndarray of shape (m, n_folds)
        How many rows there were.
    columns : tuple of str or None
        Names of the columns of X, the task column in its place; None for arrays.
    task : str, int, tuple of them or None
        The task column, as estimators name it. A tuple holds the columns of several groupings;
        tasks are then the combinations of their ids that occur, a JSON list each.
    wide : bool
        Whether y had a column per task.

    Notes
    -----
    Memory is m · n_folds · (d + 2)² · 8 bytes whatever the number of rows. Moments squares the
    condition number: features that are nearly collinear inside every task (condition 1e6 and
    more) lose digits that `fit` on the rows keeps.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([rng.normal(size=(40, 2)), np.repeat([0, 1], 20)])
    >>> y = rng.normal(size=40)
    >>> first = TaskMoments.from_rows(X[:30], y[:30], task=2)
    >>> both = first + TaskMoments.from_rows(X[30:], y[30:], task=2)
    >>> both.counts
    array([20., 20.])
    """

    tasks: np.ndarray
    shift: np.ndarray
    sums: np.ndarray
    rows: np.ndarray
    columns: tuple[str, ...] | None = None
    task: Any = None
    wide: bool = False

    def __post_init__(self) -> None:
        m, p = len(self.tasks), len(self.shift) + 1
        want = (m, self.rows.shape[-1], p, p)
        if self.sums.shape != want or self.rows.shape != want[:2]:
            raise ValueError(
                f"TaskMoments: sums must have shape {want} for {m} tasks and a shift of {p - 1} "
                f"values; got {self.sums.shape}. Make moments by from_rows or from_batches."
            )

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return len(self.shift) - 1

    @property
    def n_folds(self) -> int:
        """Folds whose sums are kept apart; 1 where no cross-validation was asked for."""
        return int(self.sums.shape[1])

    @property
    def counts(self) -> np.ndarray:
        """Rows of each task, by weight where there were sample weights; shape (m,)."""
        return self.sums[:, :, 0, 0].sum(axis=1)

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return int(self.sums.nbytes + self.rows.nbytes + self.shift.nbytes)

    @classmethod
    def from_rows(
        cls, X: Any, y: Any, *, task: Spec = None, sample_weight: Any = None,
        n_folds: int = 1,
    ) -> TaskMoments:  # fmt: skip
        """Moments of one table; see `from_batches`."""
        return cls.from_batches([(X, y, sample_weight)], task=task, n_folds=n_folds)

    @classmethod
    def from_batches(
        cls,
        batches: Iterable[tuple[Any, ...]],
        *,
        task: Spec = None,
        n_folds: int = 1,
    ) -> TaskMoments:
        """Moments of batches of rows, in one pass.

        Parameters
        ----------
        batches : iterable of (X, y) or (X, y, sample_weight)
            X a table or an array (float32 is summed up in float64), y of shape (n,), or (n, m) with
            ``task=None``: a column per task, NaN where it was not measured.
        task : str, int, list of groupings or None
            Task column of X: a name, or a position; or groupings as `MultilevelRegressor` names
            them, whose combinations are then the tasks. None is one task.
        n_folds : int, default=1
            2 or more keeps sums per fold, so that ``alpha="cv"`` can be answered by K-fold
            cross-validation: the rows of each task are dealt to the folds in turn; with a wide y
            the rows of X, each to one fold for all tasks.

        Raises
        ------
        ValueError
            If batches differ in their columns, hold missing values, or there is no row.
        """
        if n_folds < 1:
            raise ValueError(f"TaskMoments: n_folds must be 1 or more; got {n_folds}.")
        return cls._gather(MomentSums(n_folds), batches, task)

    def extended(self, X: Any, y: Any, sample_weight: Any = None) -> TaskMoments:
        """These rows too; each task's rows go on being dealt to the folds in turn."""
        sums = MomentSums(self.n_folds)
        sums.go_on_from(self.tasks.tolist(), self.rows.sum(axis=1), self.shift)
        return self + type(self)._gather(sums, [(X, y, sample_weight)], self.task)

    @classmethod
    def _gather(
        cls, sums: MomentSums, batches: Iterable[tuple[Any, ...]], task: Spec
    ) -> TaskMoments:
        columns, width, wide = None, None, None
        for X, y, *weight in batches:
            features, ids, names = _read(X, task)
            target, labels = _read_target(y, task)
            check_consistent_length(features, target)
            columns, width = _same(columns, names, width, features.shape[1])
            wide = _same_targets(wide, labels)
            given = _weights(weight[0] if weight else None, target.shape)
            if labels is not None:
                sums.add_wide(list(features.T), target, labels, given)
                continue
            pairs = [np.unique(each, return_inverse=True) for each in ids]
            local, present = combined([(code, known.tolist()) for known, code in pairs])
            sums.add(list(features.T), target, local, present, given)
        return cls.of_sums(sums, columns, id_columns(task, columns), wide=isinstance(wide, list))

    @classmethod
    def of_sums(
        cls, sums: MomentSums, columns: Sequence[str] | None, task: Any,
        wide: bool = False,
    ) -> TaskMoments:  # fmt: skip
        """What was accumulated, tasks sorted, or as the columns of a wide y."""
        if sums.shift is None:
            raise ValueError("TaskMoments: there must be at least one row; got none.")
        tasks = sums.index.ids()
        order = np.arange(len(tasks)) if wide else np.argsort(tasks)
        names = None if columns is None else tuple(columns)
        return cls(tasks[order], sums.shift, sums.sums[order], sums.rows[order], names, task, wide)

    def __add__(self, other: TaskMoments) -> TaskMoments:
        """Moments of the rows of both; tasks unite."""
        if not isinstance(other, TaskMoments):
            return NotImplemented
        self._check_like(other)
        here, there = self.counts.sum(), other.counts.sum()
        if (self.shift == other.shift).all():
            shift = self.shift
        else:
            shift = (here * self.shift + there * other.shift) / max(here + there, 1e-300)
        tasks = self.tasks if self.wide else np.union1d(self.tasks, other.tasks)
        p = len(shift) + 1
        sums = np.zeros((len(tasks), self.n_folds, p, p))
        rows = np.zeros((len(tasks), self.n_folds), dtype=np.int64)
        for part in (self.shifted(shift), other.shifted(shift)):
            at = slice(None) if self.wide else np.searchsorted(tasks, part.tasks)
            sums[at] += part.sums
            rows[at] += part.rows
        return replace(self, tasks=tasks, shift=shift, sums=sums, rows=rows)

    def shifted(self, shift: np.ndarray) -> TaskMoments:
        """The same moments about another reference: T S T' with T = I + delta e_1'."""
        delta = self.shift - shift
        if not delta.any():
            return self
        sums = self.sums.copy()
        sums[..., 1:, :] += delta[:, None] * sums[..., :1, :]
        sums[..., :, 1:] += sums[..., :, :1] * delta
        return replace(self, shift=np.asarray(shift, dtype=np.float64), sums=sums)

    def standardized(self, center: np.ndarray, scale: np.ndarray) -> TaskMoments:
        """Moments of (x - center) / scale, shapes (d,), without the rows; y stays."""
        center, scale = np.append(center, 0.0), np.append(scale, 1.0)
        unit = np.concatenate([[1.0], 1.0 / scale])
        sums = self.sums * unit[:, None] * unit
        return replace(self, shift=(self.shift - center) / scale, sums=sums)

    def mean_and_scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each feature over all rows, shapes (d,).

        A constant feature has scale one, as in scikit-learn's StandardScaler.
        """
        total = self.sums.sum(axis=(0, 1))[:-1, :-1]
        off = total[0, 1:] / total[0, 0]  # mean of x - shift
        square = np.diag(total)[1:] / total[0, 0]
        mean = off + self.shift[:-1]
        variance = square - off**2
        eps = 8 * np.finfo(float).eps
        varies = variance > eps * square + (eps * mean) ** 2
        return mean, np.where(varies, np.sqrt(np.maximum(variance, 0.0)), 1.0)

    def select_folds(self, keep: np.ndarray) -> np.ndarray:
        """Sum of S_ik over the folds where keep (n_folds,) is true, shape (m, d + 2, d + 2)."""
        return self.sums[:, keep].sum(axis=1)

    def about_zero(self, keep: np.ndarray) -> np.ndarray:
        """`select_folds` in original units, where z = (1, x, y)."""
        return self.shifted(np.zeros_like(self.shift)).select_folds(keep)

    def places(self, intercept: bool) -> np.ndarray:
        """Where in z the columns of a design are, the constant one last."""
        x = np.arange(1, self.n_features + 1)
        return np.append(x, 0) if intercept else x

    def without_fold(self, fold: int, always: np.ndarray) -> TaskMoments:
        """Moments less those of one fold; tasks in ``always`` (m,) keep its rows in another."""
        sums, rows = np.delete(self.sums, fold, axis=1), np.delete(self.rows, fold, axis=1)
        sums[always, 0] += self.sums[always, fold]
        rows[always, 0] += self.rows[always, fold]
        return replace(self, sums=sums, rows=rows)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.npz`` file without pickled objects; whole or not at all."""
        write_moments_file(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TaskMoments:
        """Read what `save` wrote; a file of anything else is refused with a ValueError."""
        return cls(**read_moments_file(path))

    def _check_like(self, other: TaskMoments) -> None:
        def refuse(what: str, mine: object, its: object, remedy: str) -> None:
            raise ValueError(
                f"TaskMoments: {what} must agree to be added; got {mine} and {its}. {remedy}"
            )

        if self.n_features != other.n_features or self.columns != other.columns:
            mine, its = (m.columns or f"{m.n_features} features" for m in (self, other))
            refuse("columns", mine, its, "Select the same columns, in one order, for every part.")
        if self.task != other.task:
            refuse("task columns", repr(self.task), repr(other.task), "Name the same one.")
        if self.wide != other.wide or (self.wide and self.tasks.tolist() != other.tasks.tolist()):
            mine, its = (m.tasks.tolist()[:5] if m.wide else "a long y" for m in (self, other))
            refuse("columns of y", mine, its, "Give every part the same targets, in one order.")
        if self.n_folds != other.n_folds:
            refuse("n_folds", self.n_folds, other.n_folds, "Make all parts with one n_folds.")
        if (self.tasks.dtype.kind == "U") != (other.tasks.dtype.kind == "U"):
            refuse("types of task ids", self.tasks.dtype, other.tasks.dtype, "Cast the column.")


def _read(X: Any, task: Spec) -> tuple[np.ndarray, list[np.ndarray], tuple[str, ...] | None]:
    """Features, ids by column and column names of one batch."""
    names = frame_columns(X)
    features = X if task is None else drop_task_column(X, task)
    refuse_dates(features, "X")
    features = check_array(
        to_array(features), dtype=[np.float64, np.float32], ensure_all_finite=False,
        ensure_min_features=int(isinstance(id_columns(task, names), str | int | None)),
    )  # fmt: skip
    if task is None:
        return features, [np.zeros(len(features), dtype=np.int64)], names
    columns = column_names(spelled_out(task, names))
    return features, [read_task_ids(X, name) for name in columns], names


def _read_target(y: Any, task: Spec) -> tuple[np.ndarray, list[Any] | None]:
    """Target (n,), or (n, m) with the names of its columns where it is wide."""
    refuse_dates(y, "y")
    target = check_array(
        to_array(y), ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    if target.ndim == 2 and task is None:
        if np.isinf(target).any():
            raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
        named = frame_columns(y)
        labels = list(range(target.shape[1])) if named is None else list(named)
        return target.astype(np.float64), labels
    return column_or_1d(target).astype(np.float64), None


def _same_targets(before: list[Any] | bool | None, labels: list[Any] | None) -> list[Any] | bool:
    """The names of y's columns, or True for a long y, which all batches must share."""
    now = True if labels is None else labels
    if before is not None and before != now:
        raise ValueError(
            f"TaskMoments: batches must have the same targets; got {before}, then {now}. Select "
            "one set of columns of y, in one order."
        )
    return now


def _same(
    columns: Any, names: Any, width: int | None, d: int
) -> tuple[tuple[str, ...] | None, int]:
    if width is not None and (columns != names or width != d):
        raise ValueError(
            "TaskMoments: batches must have the same columns; got "
            f"{columns or f'{width} features'}, then {names or f'{d} features'}. Select one set "
            "of columns, in one order."
        )
    return names, d


def _weights(weight: Any, shape: tuple[int, ...]) -> Any:
    """Weights in the shape of y; None for rows of a long table that weigh alike."""
    if weight is None:
        return None if len(shape) == 1 else np.ones(shape)
    weight = np.asarray(to_array(weight), dtype=np.float64)
    weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 < len(shape) else weight, shape)
    check_weights(weight)
    return weight
