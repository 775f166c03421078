"""How much rows of groups count in models that take variances from rows as independent ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from polytask.data.held_rows import Folds, group_folds
from polytask.responses import Response

__all__ = ["RowsAlike", "correlation"]

_FOLDS = 3

Predicted = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class RowsAlike:
    """Rows of positive weight, some of one group.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y, weight : ndarray of shape (n,)
        Numbers that the loss takes, and weights.
    task, group : int ndarray of shape (n,)
    loss : Response
    predicted : callable
        From weights (n,) of the training rows, zero elsewhere, and the places (n,) of the rows held
        out, to what a fit says of these.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: np.ndarray
    group: np.ndarray
    loss: Response
    predicted: Predicted

    def weights(self) -> np.ndarray:
        """Each of the n rows of a group in a task weighs 1 / (1 + (n - 1) r), r their correlation.

        That of the errors in groups left out by models to which the rows of a group are one. Where
        these do worse than a constant, as where columns tell all groups of a task apart, one row
        of each is taken if it does better.
        """
        pair = np.unique([self.task, self.group], axis=1, return_inverse=True)[1].ravel()
        more = np.bincount(pair)[pair] - 1.0
        f = self._left_out(self.weight / (1.0 + more))
        known = np.isfinite(f)
        if not known.any():
            return self.weight / (1.0 + more)
        level = self.loss.link(np.full(len(f), self.y.mean()))
        if self._risk(f) > self._risk(np.where(known, level, np.nan)):
            one = np.zeros(len(f))
            middle = self._middle(pair)
            one[middle] = self.weight[middle]
            if self._risk(self._left_out(one)) < self._risk(f):
                return one
        spread = np.sqrt(np.maximum(self.loss.curvature(self.y[known], f[known]), 1e-12))
        error = self.loss.gradient(self.y[known], f[known]) / spread
        r = correlation(error, np.unique(pair[known], return_inverse=True)[1])
        return self.weight / (1.0 + more * r)

    def _left_out(self, weight: np.ndarray) -> np.ndarray:
        """Linear predictors (n,) of rows whose group was left out; NaN where none was."""
        f = np.full(len(self.y), np.nan)
        for train, held in Folds(group_folds(self.task, self.group, _FOLDS)).parts():
            part = np.where(train, weight, 0.0)
            if np.ptp(self.y[part > 0]) > 0:
                f[held] = self.predicted(part, held)
        return f

    def _risk(self, f: np.ndarray) -> float:
        return float(np.nanmean(self.loss.value(self.y, f)))

    def _middle(self, pair: np.ndarray) -> np.ndarray:
        """The row of each group whose features are nearest to their mean."""
        size = np.bincount(pair)
        away = np.zeros(len(pair))
        for x in self.X.T:
            mean = np.bincount(pair, x) / size
            away += ((x - mean[pair]) / max(x.std(), 1e-300)) ** 2
        order = np.lexsort((self.y, away, pair))
        found: np.ndarray = order[np.unique(pair[order], return_index=True)[1]]
        return found


def correlation(values: np.ndarray, group: np.ndarray) -> float:
    """Of values (n,) about zero inside groups 0, ..., k - 1, by moments; from 0 to 1."""
    size = np.bincount(group)
    n, k = len(group), len(size)
    mean = np.bincount(group, values) / size
    inside = float(((values - mean[group]) ** 2).sum()) / max(n - k, 1)
    between = float(size @ mean**2) / k
    total = between + (n / k - 1.0) * inside
    return min(max((between - inside) / total, 0.0), 1.0) if n > k and total > 0 else 0.0
