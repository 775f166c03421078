"""The share of the log loss that probabilities explain, of two classes or more."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytask.model_selection import _by_task as by_task
from polytask.model_selection.metric import Metric

__all__ = ["LOG_LOSS", "LOG_LOSS_EXPLAINED"]

LOG_LOSS = Metric(
    "log_loss", "log loss", "classification", False, "predict_proba", "nats",
    "mean of -log(probability given to the class that occurred)", by_task.log_loss,
)  # fmt: skip


class _Explained(Metric):
    """1 - log loss / that of the classes' shares among all rows that are judged together."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Below zero, probabilities are worse than the shares."""
        return -np.inf, 1.0

    def per_task(
        self, y: Any, pred: Any, codes: Any = None, weight: Any = None, n_tasks: int | None = None
    ) -> np.ndarray:
        """Value of each task, NaN where it has none; arguments as in `Metric.per_task`."""
        each = LOG_LOSS.per_task(y, pred, codes, weight, n_tasks)
        return 1.0 - each / self._whole(y, pred, weight)

    def pooled(self, y: Any, pred: Any, codes: Any = None, weight: Any = None) -> float:
        """Value over all rows at once; arguments as in `Metric.pooled`."""
        each = LOG_LOSS.pooled(y, pred, codes, weight)
        return float(1.0 - each / self._whole(y, pred, weight))

    def _whole(self, y: Any, pred: Any, weight: Any) -> float:
        """Log loss of the shares; NaN of one class."""
        y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
        w = np.ones(y.shape) if weight is None else np.asarray(weight, dtype=float)
        w = np.broadcast_to(w[:, None] if w.ndim < y.ndim else w, y.shape)
        measured = ~np.isnan(y)
        K = pred.shape[-1] if pred.ndim > y.ndim else 2
        mass = np.bincount(y[measured].astype(int), w[measured], K)
        share = mass / max(float(mass.sum()), 1e-300)
        shares = np.broadcast_to(share if pred.ndim > y.ndim else share[1], pred.shape)
        whole = LOG_LOSS.pooled(y, shares, None if y.ndim == 2 else np.zeros(len(y), int), weight)
        return whole if whole > 0 else np.nan


LOG_LOSS_EXPLAINED = _Explained(
    "log_loss_explained", "deviance explained", "classification", True, "predict_proba", "share",
    "1 - log loss / that of the classes' shares among all rows that are judged together",
    by_task.log_loss,
)  # fmt: skip
