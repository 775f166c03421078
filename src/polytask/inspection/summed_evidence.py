"""Evidence from sums over rows that nobody keeps: the same statistics as from the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from polytask.inspection.evidence import Evidence
from polytask.inspection.statistics.simultaneous import OverallGains, overall_gains_of_moments
from polytask.inspection.statistics.skewness import skewness_of_moments
from polytask.inspection.statistics.task_gains import gains_of_moments

__all__ = ["SummedEvidence"]


@dataclass(frozen=True, eq=False)
class SummedEvidence(Evidence):
    """Evidence whose ``losses`` say which models there are, and hold no rows.

    Attributes
    ----------
    rows : ndarray of shape (m,)
        Scored rows of each task.
    mean : ndarray of shape (m, M)
        Mean over the rows of g = (loss of the baseline, its excess over each other model's).
    covariance : ndarray of shape (m, M, M)
        Of g over the rows of each task; zero where there are fewer than two.
    cubes : ndarray of shape (m, M)
        Third central moment of g over the rows of each task.
    """

    rows: np.ndarray = None  # type: ignore[assignment]
    mean: np.ndarray = None  # type: ignore[assignment]
    covariance: np.ndarray = None  # type: ignore[assignment]
    cubes: np.ndarray = None  # type: ignore[assignment]

    def _loss_of(self, name: str) -> np.ndarray:
        """Weights (M,) that make a model's loss of g."""
        weights = np.zeros(self.mean.shape[1])
        weights[0] = 1.0
        at = list(self.losses).index(name)
        if at:
            weights[at] = -1.0
        return weights

    def task_losses(self, name: str) -> np.ndarray:
        """Mean loss of each task, NaN where none of its rows was tested."""
        if name not in self.losses:
            return np.full(self.n_tasks, np.nan)
        return np.where(self.rows > 0, self.mean @ self._loss_of(name), np.nan)

    def by_task(self, name: str) -> pd.DataFrame:
        """Gains of a model over the baseline, a row per task."""
        if name not in self._by_task:
            gain = self._loss_of(self.baseline) - self._loss_of(name)
            variance = np.einsum("a,mab,b->m", gain, self.covariance, gain)
            known = np.where(self.rows > 0, 1.0, np.nan)
            self._by_task[name] = gains_of_moments(
                self.rows,
                known * (self.mean @ gain),
                np.where(self.rows > 1, np.maximum(variance, 0.0), np.nan),
                self.task_losses(self.baseline),
                self._skewness(name),
                inflation=self.inflation,
                level=self.level,
            )
        return self._by_task[name]

    def _skewness(self, name: str) -> float:
        """That of a model's gains on single rows, one for all tasks."""
        at = list(self.losses).index(name)
        second = self.covariance[:, at, at] * (self.rows - 1.0) / np.maximum(self.rows, 1.0)
        rounding = 1e-13 * (second + self.mean[:, at] ** 2)
        return skewness_of_moments(
            self.rows, np.where(second > rounding, second, 0.0), self.cubes[:, at]
        )

    def _overall(self, reference: str, names: list[str]) -> OverallGains:
        base = self._loss_of(reference)
        turn = np.array([base - self._loss_of(name) for name in names] + [base])
        mean = np.where(self.rows[:, None] > 0, self.mean @ turn.T, 0.0)
        return overall_gains_of_moments(
            self.rows,
            mean[:, -1],
            mean[:, :-1],
            turn @ self.covariance @ turn.T,
            inflation=self.inflation,
            level=self.level,
            folds=self._fold_parts(reference, names),
        )
