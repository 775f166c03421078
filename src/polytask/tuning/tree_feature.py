"""A feature h(x) of boosted trees, with its values at the training rows from trees without them.

Heads that are fitted to h at rows which the trees learned from believe it too much: the trees know
those rows' noise. So the rows are dealt to folds, and heads learn from h of trees that did not see
the row's fold; its size says how many trees there should be as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from sklearn.base import clone

from polytask.data import TaskData
from polytask.responses import Response
from polytask.tuning.content import content_of
from polytask.tuning.folds import held_out_folds

__all__ = ["TreeRows", "binned", "working_target"]

_MOST_BINS = 255  # of histogram boosting
_BLOCK = 50  # trees that are grown at a time
_FARTHEST = 4.0  # step to a working target (Friedman, Hastie and Tibshirani, 2000)
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
        _, first, at = np.unique(content.group, return_index=True, return_inverse=True)
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

    def learn(
        self, trees: Any, loss: Response, f: np.ndarray, own: np.ndarray
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

        Returns
        -------
        trees : fitted HistGradientBoostingRegressor or None
            On bins; None where no tree lowers the held-out loss.
        held_out : ndarray of shape (N, 1), or (N, 0) of none
            h of every observation from trees without its fold, in the spread of their targets.
        """
        s = np.bincount(self.at, self.data.sample_weight)
        y, f, own, fold = (v[self.first] for v in (self.data.y, f, own, self.fold))
        target, curvature = working_target(loss, y, f)
        weight, h = s * curvature, np.empty(len(y))
        center = float(np.average(target - own, weights=weight))
        spread = float(np.average((target - own - center) ** 2, weights=weight)) ** 0.5
        parts = [(fold != k, fold == k) for k in np.unique(fold)]
        least = min((int(train.sum()) for train, _ in parts), default=0)
        if len(parts) < 2 or least < 2 * trees.min_samples_leaf or not self.edges or spread == 0.0:
            return None, np.zeros((len(self.at), 0))  # nothing to hold out, to split, or to learn
        X, base = binned(self.X[self.first], self.edges), own + center
        target = np.round((target - base) / spread, _DIGITS)
        grown = [clone(trees).set_params(warm_start=True) for _ in parts]
        for n_trees in (*range(_BLOCK, trees.max_iter, _BLOCK), trees.max_iter):
            risk = np.zeros(n_trees + 1)
            for (train, held), model in zip(parts, grown, strict=True):
                mean = np.average(target[train], weights=weight[train])
                model.set_params(max_iter=n_trees).fit(X[train], target[train], weight[train])
                steps = (np.full(held.sum(), mean), *model.staged_predict(X[held]))
                risk += [s[held] @ loss.value(y[held], base[held] + spread * z) for z in steps]
            n = int(risk.argmin())
            if n < n_trees // 2:  # it has risen for long
                break
        if n == 0:
            return None, np.zeros((len(self.at), 0))
        for (_, held), model in zip(parts, grown, strict=True):
            h[held] = next(islice(model.staged_predict(X[held]), n - 1, None))
        whole = clone(trees).set_params(max_iter=n).fit(X, target, weight)
        return whole, h[self.at, None]
