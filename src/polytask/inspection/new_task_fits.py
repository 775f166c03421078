"""Fits for tasks that were held out whole, given none or some of their rows."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from polytask.inspection.out_of_fold import predict_rows
from polytask.inspection.roles import final_step
from polytask.inspection.sample import RowSample
from polytask.model_selection import LeaveTasksOut

__all__ = ["Answer", "HeldOut", "answers_of", "hold_out"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """One split: rows of the other tasks, rows of new tasks in the order of use, rows to predict.

    `place` says how many rows of its own task stand before each row of `support`.
    """

    repeat: int
    others: np.ndarray
    support: np.ndarray
    place: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer:
    """Predictions of a model for new tasks with k rows each, by one road; or why there are none."""

    name: str
    road: str
    n_support: int
    split: int
    predictions: np.ndarray | None
    seconds: float
    reason: str


def hold_out(
    sample: RowSample, most: int, cv: int, n_repeats: int, seed: int | None
) -> list[HeldOut]:
    """Deal the tasks with more than `most` rows into `cv` parts, and hold each part out."""
    seeds = np.random.RandomState(seed).randint(2**31 - 1, size=n_repeats)
    found = []
    for repeat, one in enumerate(seeds):
        splitter = LeaveTasksOut(cv, n_support=most, random_state=int(one))
        for train, test in sample.splits(splitter):
            new = np.isin(sample.codes[train], sample.codes[test])
            support = train[new]
            place = pd.Series(support).groupby(sample.codes[support]).cumcount().to_numpy()
            found.append(HeldOut(repeat, train[~new], support, place, test))
    return found


def answers_of(
    name: str, estimator: Any, alone: bool, sample: RowSample, held: HeldOut, split: int,
    rows: Sequence[int],
) -> list[Answer]:  # fmt: skip
    """Every answer of one model on one split.

    * ``alone``: fitted to the k rows of each new task and to nothing else;
    * ``common``: fitted to the other tasks, predicts without a row of the new ones;
    * ``refit``: fitted to the other tasks and the k rows;
    * ``added``: fitted to the other tasks, then `add_task` with the k rows.
    """
    model = clone(estimator)
    inner = final_step(model)
    if not alone and "unseen" in inner.get_params(deep=False):
        inner.set_params(unseen="common")
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the comparison tells what these fits would tell
        for road, k, fit, n in _roads(model, alone, sample, held, rows):
            start, predictions, reason = time.perf_counter(), None, ""
            try:
                X = _safe_indexing(sample.X, held.test)
                predictions = predict_rows(fit(), sample, X, n)
            except Exception as error:  # noqa: BLE001  as in `out_of_fold`: a line, not the end
                reason = f"{type(error).__name__}: {str(error).strip() or 'no message'}"
            seconds = time.perf_counter() - start
            found.append(Answer(name, road, k, split, predictions, seconds, reason))
    return found


def _roads(
    model: Any, alone: bool, sample: RowSample, held: HeldOut, rows: Sequence[int]
) -> Iterator[tuple[str, int, Any, int]]:
    """Road, k, a function that fits, and to how many rows."""
    if alone:
        for k in filter(None, rows):
            few = held.support[held.place < k]
            yield "alone", k, _fitting(model, sample, few), len(few)
        return
    old = clone(model)
    adds = hasattr(final_step(old), "add_task") and sample.response.n_predictors == 1
    if adds or 0 in rows:
        yield "common", 0, _fitting(old, sample, held.others), len(held.others)
    for k in filter(None, rows):
        few = held.support[held.place < k]
        every = np.concatenate([held.others, few])
        yield "refit", k, _fitting(clone(model), sample, every), len(every)
        if adds:
            yield "added", k, _adding(old, sample, few), len(every)


def _fitting(model: Any, sample: RowSample, rows: np.ndarray) -> Any:
    return lambda: model.fit(_safe_indexing(sample.X, rows), sample.labels[rows])


def _adding(old: Any, sample: RowSample, rows: np.ndarray) -> Any:
    def add() -> Any:
        model = copy.deepcopy(old)
        X = _safe_indexing(sample.X, rows)
        if isinstance(model, Pipeline):
            X = model[:-1].transform(X)
        final_step(model).add_task(X, sample.labels[rows])
        return model

    return add
