"""Out-of-fold losses of fitted models in one pass: every row is predicted where it was held out.

Of the losses only sums are kept: by task, fold and model, and of the products of two models'
losses on one row, from which the variance of any difference over the rows of a task follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from polytask.data.accumulate import FoldDealer, TaskIndex
from polytask.data.grouping import compact, group_rows
from polytask.sources.source import Batch, ParquetSource, Partition

__all__ = ["LOSSES", "LossTotals", "ScoreJob"]

Array = np.ndarray


def _log(y: Array, p: Array) -> Array:
    given = np.where(y == 1, p, 1 - p)
    loss: Array = -np.log(np.maximum(given, np.finfo(float).eps))
    return loss


LOSSES: dict[str, dict[str, Callable[[Array, Array], Array]]] = {
    "regression": {
        "squared error": lambda y, f: (y - f) ** 2,
        "absolute error": lambda y, f: np.abs(y - f),
    },
    "classification": {
        "log loss": _log,
        "Brier score": lambda y, p: (y - p) ** 2,
        "wrong predictions": lambda y, p: ((p > 0.5) != (y == 1)).astype(float),
    },
}


@dataclass(eq=False)
class LossTotals:
    """Sums over the held-out rows of m tasks, K folds, M models.

    Parameters
    ----------
    rows : ndarray of shape (m, K)
    target, target_square : ndarray of shape (m, K)
        Of y less the center.
    losses : ndarray of shape (m, K, M, q)
        Of every loss of `LOSSES`.
    products : ndarray of shape (m, M, M)
        Sum of g g', with g = (the baseline's loss, and its excess over each other model's).
    cubes : ndarray of shape (m, M)
        Sum of g³.
    """

    rows: Array
    target: Array
    target_square: Array
    losses: Array
    products: Array
    cubes: Array

    def __add__(self, other: LossTotals) -> LossTotals:
        """Over both sets of rows."""
        return LossTotals(*(a + b for a, b in zip(vars(self).values(), vars(other).values(),
                                                  strict=True)))  # fmt: skip


@dataclass(frozen=True, eq=False)
class ScoreJob:
    """Losses of every row under the models that have not seen it.

    Parameters
    ----------
    coefs : ndarray of shape (M, K, m, d + 1)
        Coefficients, the intercept last, of each model without each fold; the baseline first.
    tasks : ndarray of shape (m,)
    scored : bool ndarray of shape (m,)
        Tasks that are held out at all.
    kind : {"regression", "classification"}
    loss : str
        Which of `LOSSES` has its products kept.
    classes : ndarray of shape (2,) or None
        Labels; the second is y = 1.
    center : float
        Reference value of y.
    """

    coefs: Array
    tasks: Array
    scored: Array
    kind: str
    loss: str
    classes: Array | None
    center: float
    what: str = "held-out losses"

    def begin(self) -> LossTotals:
        """Empty sums."""
        models, folds, m, _ = self.coefs.shape
        q = len(LOSSES[self.kind])
        return LossTotals(
            np.zeros((m, folds)), np.zeros((m, folds)), np.zeros((m, folds)),
            np.zeros((m, folds, models, q)), np.zeros((m, models, models)), np.zeros((m, models)),
        )  # fmt: skip

    def add(self, sums: LossTotals, source: ParquetSource, part: Partition) -> None:
        """Score a partition; its rows fall into the folds of `MomentJob` and `NewtonJob`."""
        index = TaskIndex(self.tasks.tolist())
        dealer = FoldDealer(self.coefs.shape[1])
        dealer.new_part(part.number)
        dealer.meet(index.names)
        for batch in source.batches(part):
            if len(batch.y):
                code = index.codes(batch.ids)[batch.local]
                self._add(sums, batch, dealer.cells(code))

    def finish(self, sums: LossTotals) -> LossTotals:
        """The sums as they are."""
        return sums

    def merge(self, first: LossTotals, second: LossTotals) -> LossTotals:
        """Both together."""
        return first + second

    def _add(self, sums: LossTotals, batch: Batch, cell: Array) -> None:
        d, folds = len(batch.columns), self.coefs.shape[1]
        keep = self.scored[cell // folds]
        columns = [column[keep] for column in batch.columns]
        y = batch.y[keep] if self.classes is None else (batch.y[keep] == self.classes[1])
        present, local = compact(cell[keep], len(self.tasks) * folds)
        grouping = group_rows(local, len(present), d + 2)
        Z = np.empty((d + 2, len(grouping.take)))
        grouping.spread([*columns, np.ones(len(y)), y], Z, np.zeros(d + 2))
        for bucket in grouping.buckets:
            at = present[bucket.groups]
            self._add_bucket(sums, bucket.view(Z), at // folds, at % folds)

    def _add_bucket(self, sums: LossTotals, rows: Array, task: Array, fold: Array) -> None:
        X, valid, y = rows[:-1].transpose(1, 0, 2), rows[-2], rows[-1]
        f = self.coefs[:, fold, task].transpose(1, 0, 2) @ X
        if self.kind == "classification":
            f = expit(f)
        away = valid * (y - self.center)
        sums.rows[task, fold] += valid.sum(axis=1)
        sums.target[task, fold] += away.sum(axis=1)
        sums.target_square[task, fold] += (away**2).sum(axis=1)
        for q, (name, loss) in enumerate(LOSSES[self.kind].items()):
            value = valid[:, None] * loss(y[:, None], f)
            sums.losses[task, fold, :, q] += value.sum(axis=2)
            if name == self.loss:
                excess = np.concatenate([value[:, :1], value[:, :1] - value[:, 1:]], axis=1)
                np.add.at(sums.products, task, excess @ excess.transpose(0, 2, 1))
                np.add.at(sums.cubes, task, (excess**3).sum(axis=2))
