"""Rows in memory for losses that are no sum over rows of one predictor each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data.task_data import TaskData

__all__ = ["Lifted"]


@dataclass(frozen=True, eq=False)
class Lifted:
    """An `Oracle` that has the rows of ``base`` and knows another risk of them.

    Parameters
    ----------
    base : TaskData
    """

    base: TaskData

    @property
    def tasks(self) -> np.ndarray:
        """Task ids, shape (m,)."""
        return self.base.tasks

    @property
    def share(self) -> np.ndarray:
        """Weight of each task in R, shape (m,)."""
        return self.base.share

    @property
    def counts(self) -> np.ndarray:
        """Rows of each task, by sample weight, shape (m,)."""
        return self.base.counts

    @property
    def intercept(self) -> bool:
        """Whether the last coefficient of every part is an intercept."""
        return self.base.intercept

    @property
    def center(self) -> np.ndarray | None:
        """What was taken off the features, shape (d,); None where nothing was."""
        return self.base.center

    @property
    def n_tasks(self) -> int:
        """Number of tasks m."""
        return self.base.n_tasks

    @property
    def n_coefs(self) -> int:
        """Coefficients per task, the intercept included."""
        return self.base.n_coefs

    @property
    def n_features(self) -> int:
        """Number of features d, the intercept not counted."""
        return self.base.n_features

    def level(self, loss: Any) -> float:
        """Searches begin at zero."""
        return 0.0

    def null_curvature(self, loss: Any) -> float:
        """Mean curvature of the loss without features."""
        return self.base.null_curvature(loss)
