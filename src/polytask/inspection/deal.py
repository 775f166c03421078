"""Folds of a comparison: which rows train, which are predicted, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from polytask.data.grouping import by_first_row
from polytask.data.held_rows import Folds, group_folds, later_folds
from polytask.inspection.out_of_fold import Split
from polytask.inspection.sample import RowSample
from polytask.model_selection import TaskKFold

__all__ = ["deal", "fold_count", "held_words", "splitter_words", "tasks_are_known", "words_of"]


def fold_count(sample: RowSample, cv: Any) -> tuple[Any, tuple[str, ...]]:
    """Folds that the largest task can fill, and a note where they are fewer than were asked for."""
    if hasattr(cv, "split") or sample.time is not None:
        return cv, ()
    unit, each = "rows", np.arange(len(sample.y))
    if sample.together is not None:
        unit, each = "groups of rows", sample.together
    most = int(pd.Series(each).groupby(sample.codes).nunique().max())
    if most < 2:
        raise ValueError(
            f"compare_tasks: a task must have two {unit} to be scored on one of them; got none. "
            "Ask about new tasks instead (NewTasks, --new-tasks 0)."
        )
    if cv <= most:
        return cv, ()
    return most, (
        f"{most} folds instead of {cv}: the largest task has {most} {unit}, each of which is left "
        "out in turn.",
    )


def deal(sample: RowSample, cv: Any, n_repeats: int, random_state: int | None) -> list[Split]:
    """The folds of all repeats."""
    if n_repeats < 1:
        raise ValueError(f"compare_tasks: n_repeats must be at least 1; got {n_repeats}.")
    if hasattr(cv, "split"):
        return _given(sample, cv, n_repeats)
    if sample.time is not None and n_repeats > 1:
        raise ValueError(
            f"compare_tasks: n_repeats must be 1 with time; got {n_repeats}. Later rows are the "
            "same in every repeat."
        )
    seeds = [random_state, *np.random.RandomState(random_state).randint(2**31 - 1, size=n_repeats)]
    folds = []
    for repeat in range(n_repeats):
        seed = None if seeds[repeat] is None else int(seeds[repeat])
        for k, (train, test) in enumerate(_once(sample, cv, seed)):
            folds.append(Split.of(repeat, k, train, test))
    return folds


def _once(sample: RowSample, cv: int, seed: int | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if sample.together is None and sample.time is None:
        stratify = sample.strata is not None
        splitter = TaskKFold(cv, stratify=stratify, random_state=seed)
        for train, test in sample.splits(splitter):
            yield _with_events(sample, train, test)
        return
    any_tested = False
    for train, held in _folds(sample, cv, seed).parts():
        train &= _has_events(sample, train)
        held &= np.isin(sample.codes, sample.codes[train])  # of tasks that are there already
        if held.any():
            any_tested = True
            yield sample.order[train[sample.order]], np.flatnonzero(held)
    if not any_tested:
        raise ValueError(
            "compare_tasks: time must leave later rows of tasks that have earlier ones; no task of "
            "the later half of the rows is in the earlier half. Count each task's time from its "
            "own start."
        )


def _with_events(
    sample: RowSample, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The fold, its test rows of a task whose only event is among them in training instead."""
    judged = _has_events(sample, train)[test]
    return np.concatenate([train, test[~judged]]), test[judged]


def _has_events(sample: RowSample, train: np.ndarray) -> np.ndarray:
    """Rows (N,) of tasks from which something is learned in training: of times, an event."""
    if sample.kind != "survival":
        return np.ones(len(sample.y), dtype=bool)
    events = np.bincount(sample.codes[train], sample.y[train] > 0, sample.n_tasks)
    return np.asarray((events > 0)[sample.codes])


def _folds(sample: RowSample, cv: int, seed: int | None) -> Folds:
    if sample.time is not None:
        return Folds(later_folds(sample.time, cv), ordered=True)
    assert sample.together is not None
    order, back = sample.order, np.argsort(sample.order)
    codes, groups = by_first_row(sample.codes[order]), by_first_row(sample.together[order])
    strata = None if sample.strata is None else sample.strata[order]
    return Folds(group_folds(codes, groups, cv, seed, strata)[back])


def _given(sample: RowSample, cv: Any, n_repeats: int) -> list[Split]:
    splits = cv.split(sample.X, sample.labels, sample.together)
    folds = [Split.of(0, k, train, test) for k, (train, test) in enumerate(splits)]
    tested = np.concatenate([fold.test for fold in folds])
    if n_repeats > 1 or len(np.unique(tested)) < len(tested):
        raise ValueError(
            "compare_tasks: cv must be a splitter that tests no row twice, with n_repeats=1; got "
            f"{cv!r} and n_repeats={n_repeats}. Give a number of folds to repeat them."
        )
    return folds


def tasks_are_known(sample: RowSample, folds: list[Split]) -> bool:
    """Whether the tasks of all tested rows were in training."""
    return all(np.isin(sample.codes[f.test], sample.codes[f.train]).all() for f in folds)


def splitter_words(
    cv: Any, n_repeats: int = 1, seed: int | None = None, stratified: str = "",
    *, rows: str = "",
) -> str:  # fmt: skip
    """The splitter in a report; ``stratified`` by what, ``rows`` says what stays in one fold."""
    if hasattr(cv, "split"):
        return " ".join(repr(cv).split())
    kind = f"stratified by {stratified}, " if stratified else ""
    kind += f"{rows} in one fold, " if rows else ""
    times = f", {n_repeats} times" if n_repeats > 1 else ""
    return f"TaskKFold with {cv} folds{times}, {kind}shuffled, seed {seed}"


def words_of(sample: RowSample, cv: Any, n_repeats: int, seed: int | None) -> str:
    """`splitter_words` of rows in memory."""
    if sample.time is not None and not hasattr(cv, "split"):
        return f"rows in time: the later half in {cv} steps, each predicted from all rows before it"
    rows = ""
    if sample.together is not None:
        rows = "all rows of a group" if sample.grouped else "all labels of a row"
    stratified = "" if rows else sample.strata_words
    return splitter_words(cv, n_repeats, seed, stratified, rows=rows)


def held_words(sample: Any) -> str:
    """What a verdict says of the dependence of rows, and of their weights."""
    said = "Rows are taken as independent of one another."
    if getattr(sample, "time", None) is not None:
        said = "Later rows are judged by models of earlier ones."
    if getattr(sample, "grouped", False):
        said = "Rows of one group are held out together and count as one observation of a gain."
    weighed = getattr(sample, "weights", None) is not None
    return said + " Losses are weighted means." * weighed
