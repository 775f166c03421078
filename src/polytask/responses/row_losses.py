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
    "CLASS_LOG_LEFT",
    "CLASS_ZERO_ONE",
    "LOG",
    "LOG_LEFT",
    "SQUARED",
    "ZERO_ONE",
    "RowLoss",
    "deviance_losses",
]


@dataclass(frozen=True)
class RowLoss:
    """A loss of one row: its title in words, and the function ``of`` truth and prediction."""

    title: str
    of: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def values(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """The loss of each row; ``weight`` (n,) says how often it counts, where that matters."""
        return self.of(y, f)


class LeftOver(RowLoss):
    """A loss in units of what the rows lose when their mean is predicted."""

    def values(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """The loss of each row in that of the mean; NaN where that loses nothing."""
        w = np.ones(len(y)) if weight is None else weight
        if not w.sum() > 0:
            return self.of(y, f)
        level = np.average(y, weights=w)
        whole = float(np.average(self.of(y, self._same(level, f, y, w)), weights=w))
        return self.of(y, f) / (whole if whole > 0 else np.nan)

    def _same(self, level: float, f: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
        """One prediction for all rows."""
        return np.full(len(y), level)


class LeftOverOfClasses(LeftOver):
    """The same of probabilities (..., n, K), beside the classes' shares."""

    def _same(self, level: float, f: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
        share = np.bincount(y.astype(int), w, f.shape[-1]) / w.sum()
        return np.tile(share, (len(y), 1))


def _log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    given = np.where(y == 1, p, 1 - p)
    loss: np.ndarray = -np.log(np.maximum(given, np.finfo(float).eps))
    return loss


SQUARED = RowLoss("squared error", lambda y, f: (y - f) ** 2)
ABSOLUTE = RowLoss("absolute error", lambda y, f: np.abs(y - f))
LOG = RowLoss("log loss", _log_loss)
LOG_LEFT = LeftOver("log loss", _log_loss)
BRIER = RowLoss("Brier score", lambda y, p: (y - p) ** 2)
ZERO_ONE = RowLoss("wrong predictions", lambda y, p: ((p > 0.5) != (y == 1)).astype(float))


def deviance_losses(name: str, deviance: RowLoss) -> dict[str, RowLoss]:
    """A deviance for what is not named, its share of that of the mean, those of RMSE and MAE."""
    return {
        name: deviance,
        f"{name}_explained": LeftOver(deviance.title, deviance.of),
        "rmse": SQUARED,
        "mae": ABSOLUTE,
    }


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
CLASS_LOG_LEFT = LeftOverOfClasses("log loss", CLASS_LOG.of)
CLASS_BRIER = RowLoss("Brier score", _class_brier)
CLASS_ZERO_ONE = RowLoss("wrong predictions", lambda y, p: (p.argmax(axis=-1) != y).astype(float))
