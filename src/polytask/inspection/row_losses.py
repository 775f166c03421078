"""Losses of single rows: gains need a metric that is a mean over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["RowLoss", "row_loss_for"]


@dataclass(frozen=True)
class RowLoss:
    """A loss of one row in words and as a function of truth and prediction."""

    title: str
    of: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    given = np.where(y == 1, p, 1 - p)
    loss: np.ndarray = -np.log(np.maximum(given, np.finfo(float).eps))
    return loss


SQUARED = RowLoss("squared error", lambda y, f: (y - f) ** 2)
ABSOLUTE = RowLoss("absolute error", lambda y, f: np.abs(y - f))
LOG = RowLoss("log loss", _log_loss)
BRIER = RowLoss("Brier score", lambda y, p: (y - p) ** 2)
ZERO_ONE = RowLoss("wrong predictions", lambda y, p: ((p > 0.5) != (y == 1)).astype(float))

_FOR_METRIC = {"mae": ABSOLUTE, "brier": BRIER, "accuracy": ZERO_ONE}


def row_loss_for(metric: str, kind: str) -> RowLoss:
    """The row loss that stands for `metric`.

    Metrics that are not means over rows take the loss nearest to them: explained variance and
    RMSE the squared error, AUC and average precision the log loss.

    Examples
    --------
    >>> row_loss_for("auc", "classification").title
    'log loss'
    """
    return _FOR_METRIC.get(metric, SQUARED if kind == "regression" else LOG)
