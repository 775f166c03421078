"""Out-of-fold losses of fitted models in one pass: every row is predicted where it was held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.data.accumulate import TaskIndex
from polytask.data.grouping import compact, group_rows
from polytask.responses import Response
from polytask.sources.loss_totals import LossTotals
from polytask.sources.passes import Source
from polytask.sources.source import Batch, Partition

__all__ = ["ScoreJob"]


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
    response : Response
    metric : str
        Whose row loss has its products kept.
    center : float
        Reference value of y.
    unit : float
        Mean of the rows' weights, where they have some.
    """

    coefs: np.ndarray
    tasks: np.ndarray
    scored: np.ndarray
    response: Response
    metric: str
    center: float
    unit: float = 1.0
    what: str = "held-out losses"

    def begin(self) -> LossTotals:
        """Empty sums."""
        models, folds, m, _ = self.coefs.shape
        return LossTotals.zeros(m, folds, models, len(self.response.row_losses))

    def add(self, sums: LossTotals, source: Source, part: Partition) -> None:
        """Score a partition; its rows fall into the folds that the models were fitted without."""
        index = TaskIndex(self.tasks.tolist())
        for batch in source.batches(part):
            if len(batch.y):
                code = index.codes(batch.ids)[batch.local]
                self._add(sums, batch, batch.cells(code, self.coefs.shape[1]))

    def finish(self, sums: LossTotals) -> LossTotals:
        """The sums, of rows that count as much as they do in their task."""
        return sums.per_unit()

    def merge(self, first: LossTotals, second: LossTotals) -> LossTotals:
        """Both together."""
        return first + second

    def _add(self, sums: LossTotals, batch: Batch, cell: np.ndarray) -> None:
        folds = self.coefs.shape[1]
        keep = self.scored[cell // folds]
        cell = cell[keep]
        f = self._predictors([column[keep] for column in batch.columns], cell)
        task, fold = np.divmod(cell, folds)
        weight = None if batch.weight is None else batch.weight[keep] / self.unit
        sums.add(task, fold, batch.y[keep], self.response.inverse_link(f), self.response,
                 self.metric, self.center, weight)  # fmt: skip

    def _predictors(self, columns: list[np.ndarray], cell: np.ndarray) -> np.ndarray:
        """Linear predictors (M, n) by the models without each row's fold, cell by cell."""
        d, folds = len(columns), self.coefs.shape[1]
        present, local = compact(cell, len(self.tasks) * folds)
        grouping = group_rows(local, len(present), d + 1)
        Z = np.empty((d + 1, len(grouping.take)))
        grouping.spread([*columns, np.ones(len(cell))], Z, np.zeros(d + 1))
        f = np.empty((len(self.coefs), len(cell) + 1))  # the last is for padding
        for bucket in grouping.buckets:
            task, fold = np.divmod(present[bucket.groups], folds)
            rows = bucket.view(Z).transpose(1, 0, 2)
            found = self.coefs[:, fold, task].transpose(1, 0, 2) @ rows
            place = grouping.take[bucket.first : bucket.first + rows.shape[0] * bucket.width]
            f[:, place] = found.transpose(1, 0, 2).reshape(len(f), -1)
        return f[:, :-1]
