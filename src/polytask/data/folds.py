"""Folds in which every task keeps rows for training: pure functions on integer task codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from polytask.data.grouping import rank_in_group

__all__ = ["FoldRule", "Permuter", "keep_levels", "task_folds", "wide_folds"]

_ROWS = 1 << 16  # that are dealt at a time


class Permuter(Protocol):
    """What folds need of a random generator: ``numpy.random.Generator`` and ``RandomState`` fit."""

    def permutation(self, x: int, /) -> Any:
        """Numbers below ``x`` in random order."""


@dataclass(frozen=True, eq=False)
class FoldRule:
    """The fold of a row from its task, its class and its place among their rows, and nothing else.

    Rows are dealt in rounds of K, each fold once a round, in an order that is drawn from the seed,
    the task, the class and the round. So whoever meets the rows of a task in the order of the
    table, all at once or part by part, deals the same folds.

    Parameters
    ----------
    counts : ndarray of shape (m, L)
        Rows of each class in each task; one class where classes are not looked at.
    first : ndarray of shape (m, L)
        Fold at which the last round of a task and class, an incomplete one, begins.
    n_splits : int
        Number of folds K.
    seed : int or None
        None deals in turn.
    number : ndarray of shape (m,)
        Of each task: its place among the ids, or, where folds are not to ask what tasks are
        called, among first rows.
    """

    counts: np.ndarray
    first: np.ndarray
    n_splits: int
    seed: int | None
    number: np.ndarray

    @classmethod
    def make(
        cls, counts: np.ndarray, n_splits: int, seed: int | None = None,
        number: np.ndarray | None = None,
    ) -> FoldRule:  # fmt: skip
        """The rule for tasks with these ``counts`` (m, L), numbered as they are given or so."""
        number = np.arange(len(counts)) if number is None else number
        order = np.argsort(number if seed is None else _hash(seed, number), kind="stable")
        order = order[counts[order].sum(axis=1) > 1]
        start = np.zeros(len(counts), dtype=np.intp)
        if counts.shape[1] == 1:
            start[order] = np.cumsum(counts[order, 0]) - counts[order, 0]
        elif len(order):
            start[order] = _balanced_starts(counts[order], n_splits)
        return cls(
            counts, start[:, None] + np.cumsum(counts, axis=1) - counts, n_splits, seed, number
        )

    def folds(self, task: np.ndarray, label: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Fold of each row, shape (n,); -1 for the row of a task of one row."""
        round_, turn = np.divmod(place, self.n_splits)
        if self.seed is not None:
            length = self.counts[task, label] - round_ * self.n_splits
            key = _hash(_hash(_hash(self.seed, self.number[task]), label), round_)
            turn = _shuffled(key, turn, np.minimum(length, self.n_splits), self.n_splits)
        fold = (self.first[task, label] + turn) % self.n_splits
        return np.where(self.counts.sum(axis=1)[task] > 1, fold, -1)


def task_folds(
    codes: np.ndarray,
    n_splits: int,
    seed: int | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Fold of each row, such that no fold takes the last training row of a task.

    Each task deals its rows to the folds in rounds, and the incomplete rounds of all tasks follow
    one another. Hence a task of n_i rows has floor or ceil(n_i / K) rows in each fold, and so have
    all rows together: small tasks do not pile up in fold 0.

    Parameters
    ----------
    codes : int ndarray of shape (n,)
        Task of each row, 0 … m-1.
    n_splits : int
        Number of folds K, at least 2.
    seed : int, optional
        Shuffles each round, and the tasks; None deals in the order given.
    labels : ndarray of shape (n,), optional
        Class of each row. Then each class of a task, too, has floor or ceil of its share in
        each fold; fold sizes and class counts over all tasks stay close, not exact.

    Returns
    -------
    fold : int ndarray of shape (n,)
        0 … K-1, or -1 for the row of a task of one row, which is always in training.

    Examples
    --------
    >>> task_folds(np.array([0, 0, 0, 1, 2, 2]), 2)
    array([ 0,  1,  0, -1,  1,  0])
    """
    codes = _check_codes(codes, n_splits)
    n_tasks = int(codes.max(initial=-1)) + 1
    classes, label = np.zeros(1), np.zeros(codes.size, dtype=np.intp)
    if labels is not None and codes.size:
        classes, label = np.unique(labels, return_inverse=True)
    cell, shape = codes * classes.size + label, (n_tasks, classes.size)
    counts = np.bincount(cell, minlength=n_tasks * classes.size).reshape(shape)
    place = rank_in_group(cell, n_tasks * classes.size)
    rule = FoldRule.make(counts, n_splits, seed)
    fold = np.empty(codes.size, dtype=np.intp)
    for first in range(0, codes.size, _ROWS):  # hashes of many rows are several numbers each
        part = slice(first, first + _ROWS)
        fold[part] = rule.folds(codes[part], label[part], place[part])
    return fold


def wide_folds(measured: np.ndarray, n_splits: int, rng: Permuter | None = None) -> np.ndarray:
    """Fold of each row of wide labels, such that every task keeps a label in training.

    Rows are grouped by the rarest task that they have a label of, and dealt group by group, which
    spreads the labels of rare tasks. Where all labels of a task still met in one fold, one
    of its rows is kept in training always.

    Parameters
    ----------
    measured : bool ndarray of shape (n, m)
        Whether task j has a label in row i.
    n_splits : int
    rng : Generator or RandomState, optional
        Shuffles rows and tasks.

    Returns
    -------
    fold : int ndarray of shape (n,)
        0 … K-1, or -1 for rows always in training (those without any label among them).
    """
    measured = np.asarray(measured, dtype=bool)
    counts = measured.sum(axis=0)
    fold = np.full(len(measured), -1)
    rows = np.flatnonzero(measured.any(axis=1))
    rarest = np.where(measured[rows], counts, len(measured) + 1).argmin(axis=1)
    order = _deal_order(_check_codes(rarest, n_splits), rng)
    fold[rows[order]] = np.arange(rows.size) % n_splits
    for j in _met_in_one_fold(measured, fold, n_splits):
        labelled = np.flatnonzero(measured[:, j])
        if (fold[labelled] == fold[labelled[0]]).all():
            fold[labelled[0]] = -1
    return fold


def keep_levels(fold: np.ndarray, codes: Sequence[np.ndarray]) -> np.ndarray:
    """Folds in which every level of further groupings keeps a row in training.

    Where all rows of a level met in one fold, the first of them is in training always (-1).

    Parameters
    ----------
    fold : int ndarray of shape (n,)
    codes : sequence of int ndarray of shape (n,)
        Level of each row in every grouping.

    Examples
    --------
    >>> keep_levels(np.array([0, 1, 0, 0, 1]), [np.array([0, 0, 1, 1, 2])])
    array([ 0,  1, -1,  0, -1])
    """
    fold = fold.copy()
    for code in codes:
        m = int(code.max(initial=-1)) + 1
        low, high = np.full(m, np.iinfo(np.intp).max), np.full(m, -2)
        np.minimum.at(low, code, fold)
        np.maximum.at(high, code, fold)
        first = np.unique(code, return_index=True)[1]
        fold[first[(low == high)[code[first]]]] = -1
    return fold


def _check_codes(codes: np.ndarray, n_splits: int) -> np.ndarray:
    if n_splits < 2:
        raise ValueError(f"n_splits must be at least 2; got {n_splits}.")
    codes = np.asarray(codes)
    if codes.size and codes.min() < 0:
        raise ValueError(f"codes must be 0 or more; got {codes.min()}.")
    return codes.astype(np.intp)


def _deal_order(codes: np.ndarray, rng: Permuter | None) -> np.ndarray:
    """Rows sorted by task, shuffled inside; the tasks in an order of chance, too."""
    if rng is None:
        return np.argsort(codes, kind="stable")
    order = rng.permutation(codes.size)
    key = rng.permutation(int(codes.max(initial=-1)) + 1)[codes]
    return order[np.argsort(key[order], kind="stable")]


def _hash(key: int | np.ndarray, more: np.ndarray) -> np.ndarray:
    """64 bits from two numbers, as good as random (the finalizer of splitmix64)."""
    bits = (np.asarray(key).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)) ^ (
        more.astype(np.uint64) * np.uint64(0xD1342543DE82EF95)
    )
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _shuffled(key: np.ndarray, turn: np.ndarray, length: np.ndarray, most: int) -> np.ndarray:
    """Place of each turn in an order of ``length`` turns that is drawn from the key."""
    own, place = _hash(key, turn), np.zeros(len(turn), dtype=np.intp)
    for other in range(most):
        place += (other < length) & (_hash(key, np.asarray(other)) < own)
    return place


def _balanced_starts(cells: np.ndarray, n_splits: int) -> np.ndarray:
    """Starting fold of each task, greedily even in rows and in each class over all tasks.

    Running on from the last task, as without classes, would repeat itself: with tasks of
    five rows and five folds, a rare class, always last, would be tested in the last fold only.
    """
    folds = np.arange(n_splits)
    offset = np.cumsum(cells, axis=1) - cells
    # folds that get one row more than the others, (m, L, K), if the task starts at fold 0
    extra = (folds - offset[:, :, None]) % n_splits < (cells % n_splits)[:, :, None]
    extra = np.concatenate([extra, extra.sum(axis=1, keepdims=True)], axis=1)
    rolled = (folds - folds[:, None]) % n_splits  # [s, k]: place of fold k after a start at s
    total = np.zeros(extra.shape[1:])
    start = np.empty(len(cells), dtype=np.intp)
    for i, more in enumerate(extra):
        start[i] = (more[:, rolled] * total[:, None]).sum(axis=(0, 2)).argmin()
        total += more[:, rolled[start[i]]]
    return start


def _met_in_one_fold(measured: np.ndarray, fold: np.ndarray, n_splits: int) -> np.ndarray:
    by_fold = np.stack([measured[fold == k].sum(axis=0) for k in range(n_splits)])
    count = measured.sum(axis=0)
    return np.flatnonzero((by_fold.max(axis=0) == count) & (count > 0))
