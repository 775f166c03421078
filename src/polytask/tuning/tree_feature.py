"""A feature h(x) of boosted trees, with its values at the training rows from trees without them.

Heads that are fitted to h at rows which the trees learned from believe it too much: the trees know
those rows' noise. So the rows are dealt to folds, and heads learn from h of trees that did not see
the row's fold; its size says how many trees there should be as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

from polytask.data import TaskData
from polytask.data.threads import with_trees
from polytask.responses import Response
from polytask.tuning.content import content_of, equal_rows
from polytask.tuning.folds import held_out_folds
from polytask.tuning.repeats import repeats

__all__ = ["TreeRows", "binned", "working_target"]

_MOST_BINS = 255  # of histogram boosting
_BLOCK = 30  # trees that are grown at a time
_RISEN = 0.75  # of the trees, before which the held-out loss is least: it has risen for long
_FARTHEST = 4.0  # step to a working target (Friedman, Hastie and Tibshirani, 2000)
_HELD_BY = 8  # rows of a task's own, as which a stretch of one counts
_DIGITS = 6  # of targets, in their spread, that are not what rounding and a search's end leave
_LEAST = 1e-6  # curvature of a row, below which it says nothing


def working_target(loss: Response, y: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets and weights (N,) whose squares stand for the loss near linear predictors f."""
    if loss.is_quadratic:
        return y, np.ones(len(y))
    curvature = np.maximum(loss.curvature(y, f), _LEAST)
    step = np.clip(-loss.gradient(y, f) / curvature, -_FARTHEST, _FARTHEST)
    return f + step, curvature


def bin_edges(x: np.ndarray) -> np.ndarray:
    """Between which values of a feature trees may split: all, or so many quantiles.

    Histogram boosting makes bins itself, but of weighted rows a hundred times slower.
    """
    distinct = np.unique(x)
    if len(distinct) <= _MOST_BINS:
        return np.asarray(distinct[:-1] + np.diff(distinct) / 2.0)
    return np.unique(np.quantile(x, np.arange(1, _MOST_BINS) / _MOST_BINS))


def binned(X: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """The bin of every value of X (n, d) as a number."""
    found = np.empty(X.shape, dtype=np.int64)
    for k, between in enumerate(edges):
        found[:, k] = np.searchsorted(between, X[:, k])
    return found


@dataclass(frozen=True, eq=False)
class TreeRows:
    """Observations as trees learn from them: in the order of their content, equal ones once.

    So trees depend neither on the order of rows nor on the names of tasks, and a row of weight two
    is the row twice. All rows of a wide table's row are in the fold of the first.

    Parameters
    ----------
    data : TaskData
    X : ndarray of shape (N, d)
        Features of the observations.
    n_folds : int
    whole_tasks : bool, default=False
        Deal tasks whole: h is then what the other tasks say. Else trees could tell a task by
        features that are constant in it, and h would hold the level of its other rows, which lies
        the lower the higher the row's own target: heads would learn from that.
    """

    data: TaskData
    X: np.ndarray
    n_folds: int
    whole_tasks: bool = False
    first: np.ndarray = field(init=False)
    edges: list[np.ndarray] = field(init=False)
    at: np.ndarray = field(init=False)
    fold: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Deal the folds."""
        content = content_of(self.data)
        _, first, at = np.unique(equal_rows(self.data), return_index=True, return_inverse=True)
        fold = held_out_folds(self.data, self.n_folds).fold
        fold = np.where(fold < 0, content.task[self.data.code] % self.n_folds, fold)
        if self.whole_tasks:
            fold = content.task[self.data.code] % self.n_folds
        _, of_row, row = np.unique(self.data.row, return_index=True, return_inverse=True)
        edges = [bin_edges(x) for x in self.X[first].T]
        found = {"first": first, "at": at, "fold": fold[of_row][row], "edges": edges}
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def place(self) -> np.ndarray:
        """Place of each task among the tasks by what its rows hold, shape (m,)."""
        return content_of(self.data).task

    @property
    def code(self) -> np.ndarray:
        """Task of each row that the trees learn from."""
        return self.data.code[self.first]

    @cached_property
    def weight(self) -> np.ndarray:
        """Of each row that the trees learn from."""
        return np.bincount(self.at, self.data.sample_weight)

    @cached_property
    def bins(self) -> np.ndarray:
        """What they see of these rows."""
        return binned(self.X[self.first], self.edges)

    def stretch_and_shift(self, known: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, ...]:
        """What makes h of trees that know a task's rows (N,) that of trees that do not (N,).

        Two numbers a task, each (m,): trees of all rows know a task's level and how it bends, as
        far as features tell it, and heads would add both again. The stretch is the slope of the
        second on the first inside the task, shrunken to one, and neither more nor below zero.
        """
        s, code = self.data.sample_weight, self.data.code

        def sums(v: np.ndarray) -> np.ndarray:
            return np.bincount(code, s * v, self.data.n_tasks)

        means = [sums(v) / sums(np.ones(len(v))) for v in (known, held)]
        a, b = known - means[0][code], held - means[1][code]
        pull = _HELD_BY * float(np.average(a**2, weights=s)) + np.finfo(float).tiny
        stretch = np.clip((sums(a * b) + pull) / (sums(a * a) + pull), 0.0, 1.0)
        return stretch, means[1] - stretch * means[0]

    def learn(
        self, trees: Any, loss: Response, f: np.ndarray, own: np.ndarray, whole: bool = True
    ) -> tuple[Any, np.ndarray]:
        """The feature h for which the loss at ``own + h`` is least on held-out rows.

        Parameters
        ----------
        trees : HistGradientBoostingRegressor
            With as many trees at most as ``max_iter``.
        f : ndarray of shape (N,)
            Linear predictors near which the loss is squared.
        own : ndarray of shape (N,)
            What the observations' tasks add to the common part.
        whole : bool, default=True
            Whether trees of all rows are wanted.

        Returns
        -------
        trees : fitted HistGradientBoostingRegressor or None
            On bins; None where no tree lowers the held-out loss, or none is wanted.
        held_out : ndarray of shape (N, 1), or (N, 0) of none
            h of every observation from trees without its fold, in the spread of their targets.
        """
        y, f, own = (v[self.first] for v in (self.data.y, f, own))
        target, curvature = working_target(loss, y, f)
        weight = self.weight * curvature
        center = float(np.average(target - own, weights=weight))
        spread = float(np.average((target - own - center) ** 2, weights=weight)) ** 0.5
        if spread == 0.0:
            return None, np.zeros((len(self.at), 0))  # nothing to learn
        base = own + center
        target = np.round((target - base) / spread, _DIGITS)

        def value(at: np.ndarray, steps: np.ndarray) -> np.ndarray:
            return loss.value(y[at, None], base[at, None] + spread * steps)

        rows = _Dealt(self.bins, target, weight, self.weight, self.fold[self.first])
        model, h = rows.choose(trees, _mean, value, whole)
        return model, h[self.at]

    def boost(self, trees: Any, loss: Response) -> tuple[Any, np.ndarray]:
        """Trees that learn the target by a loss of their own, and as many as hold rows out best.

        Equal rows that leave one at a time (`repeats`) are dealt to several folds: were those of a
        label held out together, the others would speak for the other label.

        Parameters
        ----------
        trees : HistGradientBoostingClassifier
            Whose raw predictions are linear predictors of ``loss``.

        Returns
        -------
        trees : fitted, or None
            As of `learn`.
        held_out : ndarray of shape (N, 1), or (N, 0) of none
            Linear predictors of every observation from trees without its fold, the mean of equals.
        """
        free = self.data.group is None and self.data.time is None
        leaving = np.round(np.bincount(self.at, repeats(self.data)))
        times = np.clip(leaving, 1, self.n_folds if free else 1).astype(int)
        row = np.repeat(np.arange(len(times)), times)
        copy = np.arange(len(row)) - (np.cumsum(times) - times)[row]
        y, s = self.data.y[self.first][row], (self.weight / times)[row]
        fold = (self.fold[self.first][row] + copy) % self.n_folds

        def value(at: np.ndarray, steps: np.ndarray) -> np.ndarray:
            return loss.value(y[at, None], steps)

        rows = _Dealt(self.bins[row], y, s, s, fold)
        if any(len(np.unique(y[train])) < 2 for train, _ in rows.parts):
            return None, np.zeros((len(self.at), 0))
        model, h = rows.choose(trees, loss.null_fit, value)
        mean = [np.bincount(row, f, len(times)) / times for f in h.T]
        return model, np.reshape(mean, (-1, len(times))).T[self.at]


@dataclass(frozen=True, eq=False)
class _Dealt:
    """Rows by fold: bins, and targets and weights that trees are told; weights of the loss."""

    bins: np.ndarray
    target: np.ndarray
    told: np.ndarray
    weight: np.ndarray
    fold: np.ndarray

    @cached_property
    def parts(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Rows that are learned from and held out, by fold."""
        return [(self.fold != k, self.fold == k) for k in np.unique(self.fold)]

    def choose(
        self, trees: Any, start: Callable[..., float], value: Callable[..., np.ndarray],
        whole: bool = True,
    ) -> tuple[Any, np.ndarray]:  # fmt: skip
        """As many trees as have the least ``value`` at rows held out, and what they say there."""
        none, h = (None, np.zeros((len(self.fold), 0))), np.empty((len(self.fold), 1))
        least = min((int(train.sum()) for train, _ in self.parts), default=0)
        if len(self.parts) < 2 or least < 2 * trees.min_samples_leaf or not self.bins.shape[1]:
            return none  # nothing to hold out, or to split
        of_all = (self.bins, self.target, self.told)
        grown = [_Grown(trees, *of_all, *part, start) for part in self.parts]
        n_trees, n = 0, 0
        while n_trees < trees.max_iter and n >= _RISEN * n_trees:  # or it has risen for long
            n_trees = min(n_trees + _BLOCK, trees.max_iter)
            risk = np.zeros(n_trees + 1)
            for each in grown:
                at, steps = each.held, each.until(n_trees)
                risk += self.weight[at] @ value(at, steps)
            n = int(risk.argmin())
        if n == 0:
            return none
        for each in grown:
            h[each.held, 0] = each.steps[:, n]
        model = clone(trees).set_params(max_iter=n) if whole else None
        return model and with_trees(model.fit, *of_all), h


def _mean(y: np.ndarray, weight: np.ndarray) -> float:
    return float(np.average(y, weights=weight))


class _Grown:
    """Trees of a training part, more at every call, and what they say of the rows held out."""

    def __init__(
        self, trees: Any, X: np.ndarray, y: np.ndarray, weight: np.ndarray, train: Any, held: Any,
        start: Callable[..., float],
    ) -> None:  # fmt: skip
        self.model, self.held = clone(trees).set_params(warm_start=True), held
        self.of_train, self.X = (X[train], y[train], weight[train]), X[held]
        self.steps = np.full((len(self.X), 1), start(y[train], weight[train]))

    def until(self, n_trees: int) -> np.ndarray:
        """Predictions (n, n_trees + 1) after every tree."""
        with_trees(self.model.set_params(max_iter=n_trees).fit, *self.of_train)
        self.steps = np.column_stack([self.steps, *with_trees(self._more, self.X)])
        return self.steps

    def _more(self, X: np.ndarray) -> list[np.ndarray]:
        model = self.model
        staged = model.staged_decision_function if is_classifier(model) else model.staged_predict
        return list(islice(staged(X), self.steps.shape[1] - 1, None))
