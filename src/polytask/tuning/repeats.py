"""What leaves with a row: its copies, or one of the times that it is there."""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.responses.base import is_whole
from polytask.tuning.content import EQUAL, equal_rows, own_factors

__all__ = ["of_one_row", "repeats"]

_FEW = 0.1  # share of the rows of which features are looked at one by one
_RECUR = 0.1  # share of recurring features with different targets from which rows recur by nature


def repeats(data: TaskData) -> np.ndarray:
    """The weight of each observation over the weight that is left out with it, shape (N,).

    Equal rows of a task are copies, of one row that was given a weight or was drawn again, and
    leave together: else the others tell its target, and the weakest penalty looks best. Where
    features recur with different targets, as they do with a few categories, equal rows are rows of
    their own. Whole-number weights count them where targets are labels or whole numbers, which
    recur by themselves: one leaves at a time, in units of the largest number that divides all
    counts. Weights of fractions (shares of trials, rates over an exposure, means of so many) say
    how much one row measures: it leaves whole.
    """
    return kept(data, ("repeats",), lambda: _repeats(data))


def of_one_row(data: TaskData) -> np.ndarray:
    """Whether all rows of a task leave together, shape (m,): one row, or copies of one."""
    return np.isclose(np.bincount(data.code, repeats(data), data.n_tasks), 1.0)


def _repeats(data: TaskData) -> np.ndarray:
    weight = data.sample_weight
    alike = (weight == weight[:1]).all()
    if alike and _surely_differ(data):
        return np.ones(len(weight))
    group = equal_rows(data)
    if alike and group.max(initial=-1) == len(group) - 1:
        return np.ones(len(weight))
    total = np.bincount(group, weight)[group]
    counted = is_whole(data.y - data.y.min()) and (weight == np.round(weight)).all()
    if not _recurs(data, group, counted):
        return np.asarray(weight / total)
    return weight / np.gcd.reduce(total.astype(np.int64)) if counted else np.ones(len(weight))


def _surely_differ(data: TaskData) -> bool:
    """Whether no two rows of a task have one target, or those that do have other features."""
    order, close = np.argsort(data.y), EQUAL * data.y.std()
    near = np.diff(data.y[order], prepend=-np.inf, append=np.inf) <= close
    some = order[near[1:] | near[:-1]]
    some = some[np.lexsort((data.y[some], data.code[some]))]
    y, code = data.y[some], data.code[some]
    run = np.cumsum((np.diff(y, prepend=-np.inf) > close) | (np.diff(code, prepend=-1) > 0)) - 1
    alone = np.bincount(run)[run] == 1
    rows, run = some[~alone], run[~alone]
    X, index = data.design.X, data.design.index
    if not isinstance(X, np.ndarray) or index is not None or len(rows) > _FEW * len(order):
        return not len(rows)
    X, norms = X[rows].astype(float), data.column_norms[:, : X.shape[1]]
    size = np.maximum(np.abs(X).max(axis=0, initial=0.0), np.sqrt(np.square(norms).sum(axis=0)))
    number = X / np.maximum(size, 1e-300) @ own_factors(X.shape[1])
    at = np.lexsort((number, run))
    return bool(((np.diff(number[at]) > EQUAL) | (np.diff(run[at]) > 0)).all())


def _recurs(data: TaskData, group: np.ndarray, counted: bool) -> bool:
    """Whether rows of a task with the same features often have different targets."""
    features = equal_rows(data, features_only=True)
    rows = np.bincount(features, data.sample_weight > 0)
    first = np.zeros(group.max(initial=-1) + 1, dtype=np.intp)
    first[group] = np.arange(len(group))  # one row of each group: all have the same features
    targets = np.bincount(features[first], minlength=len(rows))
    weights = np.bincount(features, data.sample_weight)
    several = (rows > 1) | (counted & (weights > data.sample_weight.min()))
    return bool((targets > 1).sum() > _RECUR * several.sum())
