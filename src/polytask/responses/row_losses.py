"""Losses of single rows: what a gain, a mean over rows, is a gain in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = [
    "ABSOLUTE",
    "BRIER",
    "CLASS_BRIER",
    "CLASS_LOG",
    "CLASS_ZERO_ONE",
    "LOG",
    "SQUARED",
    "ZERO_ONE",
    "RowLoss",
]


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


def _of_class(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The probability given to the class that occurred, of p (..., n, K)."""
    at = np.broadcast_to(y.astype(int)[:, None], (*p.shape[:-1], 1))
    found: np.ndarray = np.take_along_axis(p, at, axis=-1)[..., 0]
    return found


def _class_brier(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    loss: np.ndarray = 0.5 * ((p**2).sum(axis=-1) - 2.0 * _of_class(y, p) + 1.0)
    return loss


# Of probabilities p (..., n, K) of K classes; of two classes they are those above.
CLASS_LOG = RowLoss("log loss", lambda y, p: _log_loss(np.ones(len(y)), _of_class(y, p)))
CLASS_BRIER = RowLoss("Brier score", _class_brier)
CLASS_ZERO_ONE = RowLoss("wrong predictions", lambda y, p: (p.argmax(axis=-1) != y).astype(float))
