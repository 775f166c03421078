"""Sums over rows by task, batch by batch: the writing side of `TaskMoments`."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.data.grouping import compact, group_rows, rank_in_group

__all__ = ["FoldDealer", "MomentSums", "TaskIndex"]

_ROWS = 1 << 18  # rows that are laid out at a time
_SUMS = 1 << 15  # numbers that are added to the sums at a time: 256 kB stay in the cache


class TaskIndex:
    """Codes 0, 1, 2, ... of task ids, in the order in which they are first seen."""

    def __init__(self, ids: Sequence[Any] = ()) -> None:
        self._code: dict[Any, int] = {name: code for code, name in enumerate(ids)}

    def __len__(self) -> int:
        return len(self._code)

    @property
    def names(self) -> list[Any]:
        """The ids by code."""
        return list(self._code)

    def codes(self, ids: Sequence[Any]) -> np.ndarray:
        """Code of each id; a new id gets the next one."""
        table = self._code
        return np.array([table.setdefault(name, len(table)) for name in ids], dtype=np.intp)

    def ids(self) -> np.ndarray:
        """The ids by code, shape (m,): integers or text.

        Raises
        ------
        ValueError
            If numbers and text are mixed.
        """
        names = list(self._code)
        if len({isinstance(name, str) for name in names}) > 1:
            raise ValueError(
                "task ids must be of one type; got text and numbers, such as "
                f"{next(n for n in names if isinstance(n, str))!r} and "
                f"{next(n for n in names if not isinstance(n, str))!r}. Cast the column."
            )
        return np.array(names) if names else np.zeros(0, dtype=np.int64)


class FoldDealer:
    """Deals the rows of every task to folds in turn, part by part of a data set.

    What a part deals depends on its number and its own rows only, so that parts may be worked on
    anywhere; tasks start at different folds, so that small ones are not all in the first.

    Parameters
    ----------
    n_folds : int
    """

    def __init__(self, n_folds: int) -> None:
        self.n_folds = n_folds
        self.dealt = np.zeros(0, dtype=np.int64)
        self._first = np.zeros(0, dtype=np.int64)
        self._part = 0

    def meet(self, names: Sequence[Any]) -> None:
        """Know the tasks of these names, by code; the first ones are known already."""
        new = names[len(self._first) :]
        spread = np.array([zlib.crc32(str(name).encode()) for name in new], dtype=np.int64)
        self._first = np.concatenate([self._first, spread])
        self.dealt = np.concatenate([self.dealt, np.full(len(new), self._part)])

    def new_part(self, part: int) -> None:
        """Begin anew, at other folds than the last part."""
        self._part = part
        self.dealt[:] = part

    def cells(self, code: np.ndarray) -> np.ndarray:
        """``task * n_folds + fold`` of each row."""
        m = len(self._first)
        turn = self._first[code] + self.dealt[code] + rank_in_group(code, m)
        self.dealt += np.bincount(code, minlength=m)
        return code * self.n_folds + turn % self.n_folds


class MomentSums:
    """sum z z' with z = (1, x - shift, y - shift_y), by task and fold; float64 throughout.

    Parameters
    ----------
    n_folds : int
        Rows of a task are dealt to the folds in turn.

    Notes
    -----
    The shift is the mean of the first batch. Memory: m · n_folds · (d + 2)² numbers, and about
    3 · 2^18 · (d + 2) while a batch is worked on.
    """

    def __init__(self, n_folds: int = 1) -> None:
        self.n_folds = n_folds
        self.index = TaskIndex()
        self.shift: np.ndarray | None = None
        self.sums = np.zeros((0, 0, 0, 0))
        self.rows = np.zeros((0, n_folds), dtype=np.int64)
        self._dealer = FoldDealer(n_folds)
        self._dealt = 0  # rows of a wide target
        self._layout = np.zeros((0, 0))

    def new_part(self, part: int) -> None:
        """Deal folds anew, see `FoldDealer`."""
        self._dealer.new_part(part)

    def go_on_from(self, ids: Sequence[Any], rows: np.ndarray, shift: np.ndarray) -> None:
        """Take over tasks with ``rows`` (m,) dealt so far, and the shift, of other moments."""
        p = len(shift) + 1
        self.shift, self.sums = shift, np.zeros((0, self.n_folds, p, p))
        self.index.codes(ids)
        self._grow(len(ids))
        self._dealt = int(rows.max(initial=0))
        if self.n_folds > 1:
            self._dealer.dealt[:] = rows

    def add(
        self, columns: Sequence[np.ndarray], y: np.ndarray, local: np.ndarray, ids: Sequence[Any],
        weight: np.ndarray | None = None, names: Sequence[str] | None = None,
        fold: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Add rows, given by columns; row k is of task ``ids[local[k]]``, in fold ``fold[k]``.

        Without ``fold`` the rows of every task are dealt to the folds in turn.

        Raises
        ------
        ValueError
            If a column holds a missing or infinite value; then nothing of its chunk was added.
        """
        if not len(y):
            return
        if self.shift is None:
            self._begin(columns, y)
        code = self.index.codes(ids)[local]
        self._grow(len(self.index))
        for first in range(0, len(y), _ROWS):
            part = slice(first, first + _ROWS)
            chunk = [column[part] for column in columns]
            cell = self._cells(code[part], None if fold is None else fold[part])
            self._add(chunk, y[part], cell, None if weight is None else weight[part], names)

    def add_wide(
        self, columns: Sequence[np.ndarray], Y: np.ndarray, ids: Sequence[Any], weight: np.ndarray
    ) -> None:
        """Add rows with a target per task, Y (n, m) with NaN where it was not measured.

        A row is in one fold for all tasks: their targets share its noise.
        """
        self.index.codes(ids)
        step = max(1, _ROWS // max(len(ids), 1))
        for first in range(0, len(Y), step):
            part = slice(first, first + step)
            local, row = np.nonzero((~np.isnan(Y[part]) & (weight[part] > 0)).T)
            chunk = [column[part][row] for column in columns]
            fold = (self._dealt + first + row) % self.n_folds
            y, w = Y[part][row, local], weight[part][row, local]
            self.add(chunk, y, local, ids, w, fold=fold)
        self._dealt += len(Y)

    def _cells(self, code: np.ndarray, fold: np.ndarray | None) -> np.ndarray:
        """``task * n_folds + fold`` of each row."""
        if fold is not None:
            return code * self.n_folds + fold
        return self._dealer.cells(code) if self.n_folds > 1 else code

    def _begin(self, columns: Sequence[np.ndarray], y: np.ndarray) -> None:
        means = np.array([np.mean(c[:_ROWS], dtype=np.float64) for c in (*columns, y)])
        self.shift = np.where(np.isfinite(means), means, 0.0)
        p = len(columns) + 2
        self.sums = np.zeros((0, self.n_folds, p, p))

    def _grow(self, m: int) -> None:
        """Room for m tasks."""
        have = len(self.sums)
        if self.n_folds > 1:
            self._dealer.meet(self.index.names)
        if m > have:
            more = max(m, have + have // 2) - have
            self.sums = np.concatenate([self.sums, np.zeros((more, *self.sums.shape[1:]))])
            self.rows = np.concatenate([self.rows, np.zeros((more, self.n_folds), dtype=np.int64)])

    def _add(
        self, columns: list[np.ndarray], y: np.ndarray, cell: np.ndarray,
        weight: np.ndarray | None, names: Sequence[str] | None,
    ) -> None:  # fmt: skip
        assert self.shift is not None
        present, local = compact(cell, len(self.sums) * self.n_folds)
        p = len(columns) + 2
        grouping = group_rows(local, len(present), p)
        Z = self._place(p, len(grouping.take))
        one = np.ones(len(y))
        bad = grouping.spread([one, *columns, y], Z, np.concatenate([[0.0], self.shift]))
        if bad is not None:
            raise ValueError(_not_finite(bad, len(columns), names))
        if weight is not None:
            root = np.empty((1, Z.shape[1]))
            grouping.spread([np.sqrt(weight)], root, np.zeros(1))
            Z *= root
        flat = self.sums.reshape(-1, p, p)
        for bucket in grouping.buckets:
            _add_products(flat, present[bucket.groups], bucket.view(Z))
        self.rows.reshape(-1)[present] += np.bincount(local, minlength=len(present))

    def _place(self, p: int, length: int) -> np.ndarray:
        """A layout to write to, kept between batches."""
        if self._layout.shape[0] != p or self._layout.shape[1] < length:
            self._layout = np.empty((p, length + length // 8 + 24))
        return self._layout[:, :length]


def _add_products(sums: np.ndarray, at: np.ndarray, rows: np.ndarray) -> None:
    """Add z z' of rows (p, b, width), summed by group, to ``sums[at]`` (., p, p)."""
    p = len(rows)
    step = max(1, _SUMS // p**2)
    room = np.empty((min(step, len(at)), p, p))
    for first in range(0, len(at), step):
        Z, which = rows[:, first : first + step], at[first : first + step]
        product = room[: len(which)]
        np.matmul(Z.transpose(1, 0, 2), Z.transpose(1, 2, 0), out=product)
        sums[which] += product


def _not_finite(position: int, n_features: int, names: Sequence[str] | None) -> str:
    if position == n_features + 1:
        return (
            "Input y contains NaN, infinity or a value too large for dtype('float64'). Drop rows "
            "without a target."
        )
    which = f"column {names[position - 1]!r}" if names is not None else f"feature {position - 1}"
    return (
        f"Input X contains NaN or infinity in {which}. Impute it or leave it out; for a Parquet "
        "file, pass prepare=StreamPreparer()."
    )
