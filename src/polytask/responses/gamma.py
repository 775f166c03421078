"""Positive amounts: the gamma loss with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from polytask.responses.base import Targets
from polytask.responses.log_link import LogLink, exp
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["Gamma"]


def _deviance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return Gamma().deviance(y, mean)


@dataclass(frozen=True)
class Gamma(LogLink):
    """loss(y, f) = y / mu - 1 - log(y / mu), mu = exp(f), for y > 0: half the deviance.

    For costs, times and other amounts whose spread grows with their mean.
    """

    name = "gamma"
    title = "positive amounts"
    trees = "gamma"
    targets: ClassVar[Targets] = Targets(
        "positive", "With zeros among the amounts take loss='tweedie'.", 0.0, low_in=False
    )
    metrics = ("gamma_deviance", "gamma_deviance_explained", "rmse", "mae")
    row_losses: ClassVar = deviance_losses("gamma_deviance", RowLoss("gamma deviance", _deviance))

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return y * exp(-f) - 1.0 + f - np.log(y)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return 1.0 - y * exp(-f)

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        return y * exp(-f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return -y * exp(-f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): u log y + (1 - u) log(1 - u) + u for u <= 1."""
        left = np.maximum(1.0 - u, 0.0)
        return np.where(u <= 1, u * np.log(y) + xlogy(left, left) + u, np.inf)


RESPONSE = Gamma
