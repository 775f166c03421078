"""Row losses of all models, and what they say about gains: per task and overall."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from polytask.inspection.comparison import Interval
from polytask.inspection.statistics import FoldLosses, overall_gains, task_gains
from polytask.inspection.statistics.simultaneous import Folds, OverallGains

__all__ = ["Evidence"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Out-of-fold losses of the models that succeeded.

    Attributes
    ----------
    losses : dict of str to ndarray of shape (N,)
        Mean over repeats; NaN for rows that were never tested.
    codes : ndarray of shape (N,), n_tasks : int
    roles, titles : dict of str to str
    baseline : str
    inflation : float
        Correction for overlapping training sets.
    level : float
    loss_title : str
    folds : FoldLosses, optional
        Without them, what the tasks of a fold share is not in the overall intervals.
    """

    losses: dict[str, np.ndarray]
    codes: np.ndarray
    n_tasks: int
    roles: dict[str, str]
    titles: dict[str, str]
    baseline: str
    inflation: float
    level: float
    loss_title: str
    folds: FoldLosses | None = None
    _by_task: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether there is a baseline, and something to hold against it."""
        return self.baseline in self.losses and len(self.losses) > 1

    def names(self, *roles: str) -> list[str]:
        """The models with one of these roles that succeeded."""
        return [name for name in self.losses if self.roles[name] in roles]

    def task_losses(self, name: str) -> np.ndarray:
        """Mean loss of each task, NaN where none of its rows was tested."""
        loss = self.losses.get(name)
        if loss is None:
            return np.full(self.n_tasks, np.nan)
        there = np.isfinite(loss)
        rows = np.bincount(self.codes[there], minlength=self.n_tasks)
        total = np.bincount(self.codes[there], loss[there], minlength=self.n_tasks)
        return total / np.where(rows > 0, rows, np.nan)

    def mean_loss(self, name: str) -> float:
        """Mean over tasks of the tasks' mean losses."""
        return float(np.nanmean(self.task_losses(name)))

    def best(self, names: list[str]) -> str:
        """The one with the least mean loss; the first of equals."""
        return min(names, key=self.mean_loss)

    def by_task(self, name: str) -> pd.DataFrame:
        """Gains of a model over the baseline, a row per task (see `task_gains`)."""
        if name not in self._by_task:
            base = self.losses[self.baseline]
            self._by_task[name] = task_gains(
                base - self.losses[name],
                base,
                self.codes,
                self.n_tasks,
                inflation=self.inflation,
                level=self.level,
            )
        return self._by_task[name]

    def count(self, name: str, label: str) -> int:
        """Tasks with that label when `name` is held against the baseline."""
        if not self.complete or name not in self.losses or name == self.baseline:
            return 0
        return int((self.by_task(name)["label"] == label).sum())

    def signs(self, name: str) -> tuple[int, int]:
        """Tasks on which `name` has less, and more, loss than the baseline, clear or not."""
        if not self.complete or name not in self.losses or name == self.baseline:
            return 0, 0
        gain = self.by_task(name)["gain"]
        return int((gain > 0).sum()), int((gain < 0).sum())

    def over(
        self, reference: str, names: list[str], *, together: bool = True
    ) -> dict[str, Interval]:
        """Relative gains of `names` over `reference`; simultaneous intervals if `together`."""
        if not names or reference not in self.losses:
            return {}
        found = self._overall(reference, names)
        ends = (found.joint_low, found.joint_high, found.joint_p)
        low, high, p = ends if together else (found.low, found.high, found.p)
        return {
            name: Interval(
                float(found.value[j]), float(low[j]), float(high[j]), float(p[j]), self.level
            )
            for j, name in enumerate(names)
        }

    def _overall(self, reference: str, names: list[str]) -> OverallGains:
        return overall_gains(
            np.column_stack([self.losses[name] for name in names]),
            self.losses[reference],
            self.codes,
            self.n_tasks,
            inflation=self.inflation,
            level=self.level,
            folds=self._fold_parts(reference, names),
        )

    def _fold_parts(self, reference: str, names: list[str]) -> Folds | None:
        folds = self.folds
        if folds is None:
            return None
        return lambda ratio: (folds.shares, folds.residual(reference, names, ratio))
