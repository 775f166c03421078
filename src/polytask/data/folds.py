"""Folds in which every task keeps rows for training: pure functions on integer task codes."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

__all__ = ["Permuter", "task_folds", "wide_folds"]


class Permuter(Protocol):
    """What folds need of a random generator: ``numpy.random.Generator`` and ``RandomState`` fit."""

    def permutation(self, x: int, /) -> Any:
        """Numbers below ``x`` in random order."""


def task_folds(
    codes: np.ndarray,
    n_splits: int,
    rng: Permuter | None = None,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Fold of each row, such that no fold takes the last training row of a task.

    The rows, sorted by task, are dealt to the folds in turn and the deal is not restarted between
    tasks. Hence a task of n_i rows has floor or ceil(n_i / K) rows in each fold, and so have
    all rows together: small tasks do not pile up in fold 0.

    Parameters
    ----------
    codes : int ndarray of shape (n,)
        Task of each row, 0 … m-1.
    n_splits : int
        Number of folds K, at least 2.
    rng : Generator or RandomState, optional
        Shuffles rows and tasks; None deals in the order given.
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
    order, key = _deal_order(codes, rng, labels)
    order = order[np.bincount(codes)[codes[order]] > 1]
    fold = np.full(codes.size, -1)
    turn = np.arange(order.size)
    if labels is not None and order.size:
        turn = _stratified_turn(key[order], np.asarray(labels)[order], n_splits)
    fold[order] = turn % n_splits
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
    n_splits, rng
        As in `task_folds`.

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
    order, _ = _deal_order(_check_codes(rarest, n_splits), rng, None)
    fold[rows[order]] = np.arange(rows.size) % n_splits
    for j in _met_in_one_fold(measured, fold, n_splits):
        labelled = np.flatnonzero(measured[:, j])
        if (fold[labelled] == fold[labelled[0]]).all():
            fold[labelled[0]] = -1
    return fold


def _check_codes(codes: np.ndarray, n_splits: int) -> np.ndarray:
    if n_splits < 2:
        raise ValueError(f"n_splits must be at least 2; got {n_splits}.")
    codes = np.asarray(codes)
    if codes.size and codes.min() < 0:
        raise ValueError(f"codes must be 0 or more; got {codes.min()}.")
    return codes.astype(np.intp)


def _deal_order(
    codes: np.ndarray, rng: Permuter | None, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows sorted by task (and class), shuffled inside; and the tasks' place in that order."""
    n_tasks = int(codes.max(initial=-1)) + 1
    order, key = np.arange(codes.size), codes
    if rng is not None:
        order, key = rng.permutation(codes.size), rng.permutation(n_tasks)[codes]
    if labels is None:
        return order[np.argsort(key[order], kind="stable")], key
    classes = np.unique(labels, return_inverse=True)[1]
    return order[np.lexsort((classes[order], key[order]))], key


def _stratified_turn(task: np.ndarray, label: np.ndarray, n_splits: int) -> np.ndarray:
    """Turn of each row (sorted by task, then class), with a starting fold for each task."""
    task = np.unique(task, return_inverse=True)[1]
    classes, label = np.unique(label, return_inverse=True)
    n_tasks = task[-1] + 1
    cells = np.bincount(task * classes.size + label, minlength=n_tasks * classes.size)
    first = np.searchsorted(task, np.arange(n_tasks))
    start = _balanced_starts(cells.reshape(n_tasks, classes.size), n_splits)
    return np.arange(task.size) - first[task] + start[task]


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
