"""Losses of single rows: what a gain, a mean over rows, is a gain in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["ABSOLUTE", "BRIER", "LOG", "SQUARED", "ZERO_ONE", "RowLoss"]


@dataclass(frozen=True)
class RowLoss:
    """A loss of one row: its title in words, and the function ``of`` truth and prediction."""

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
