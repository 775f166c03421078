"""Amounts with zeros among them: the Tweedie loss with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import skew

from polytask.responses.base import Targets, refuse_only_zeros
from polytask.responses.log_link import LogLink, exp
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["Tweedie"]

_BISECTIONS = 60
_ZEROS = 0.01  # share of zeros from which they are no gross rows
_LEAST_ROWS, _SKEWED = 30, 2.0


def _deviance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return Tweedie().deviance(y, mean)


@dataclass(frozen=True)
class Tweedie(LogLink):
    """Half the deviance of a compound Poisson sum of gamma amounts, mu = exp(f), y >= 0.

    loss(y, f) = y^(2-p) / ((1-p) (2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p): a row's variance
    grows as mu^p.

    Parameters
    ----------
    power : float, default=1.5
        p, between 1 (Poisson) and 2 (gamma), the ends left out.
    """

    power: float = 1.5

    name = "tweedie"
    title = "amounts with zeros"
    trees = "poisson"
    reaches_boundary = True
    targets: ClassVar[Targets] = Targets(
        "zero or positive", "Correct the value, or take loss='squared'.", 0.0
    )
    metrics = ("tweedie_deviance", "tweedie_deviance_explained", "rmse", "mae")
    row_losses: ClassVar = deviance_losses(
        "tweedie_deviance", RowLoss("Tweedie deviance", _deviance)
    )

    def __post_init__(self) -> None:
        """Refuse powers of another family."""
        if not 1 < self.power < 2:
            raise ValueError(
                f"Tweedie: power must lie between 1 and 2; got {self.power!r}. At 1 it is "
                "loss='poisson', at 2 loss='gamma'."
            )

    @classmethod
    def signs(cls, y: np.ndarray) -> str:
        """Some zeros, the rest positive with fractions, and skewed."""
        zeros = float((y == 0).mean())
        if not (y >= 0).all() or (y == np.round(y)).all() or zeros < _ZEROS:
            return ""
        if len(y) < _LEAST_ROWS or not skew(y) > _SKEWED:
            return ""
        return f"skewed amounts with zeros ({zeros:.0%} are zero)"

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        a, b = self.power - 1.0, 2.0 - self.power
        return exp(b * f) / b + y * exp(-a * f) / a - y**b / (a * b)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return exp((2.0 - self.power) * f) - y * exp((1.0 - self.power) * f)

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        a, b = self.power - 1.0, 2.0 - self.power
        return b * exp(b * f) + a * y * exp(-a * f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        a, b = self.power - 1.0, 2.0 - self.power
        return b**2 * exp(b * f) - a**2 * y * exp(-a * f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)), where the slope is u: by bisection, for it has no formula."""
        inside = (y > 0) | (u >= 0)
        size = np.abs(u) + y + 1.0
        low = np.full(y.shape, -2.0) * np.log(size + 1.0) / (self.power - 1.0) - 50.0
        high = 2.0 * np.log(size + 1.0) / (2.0 - self.power) + 50.0
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.gradient(y, middle) < u
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        f = 0.5 * (low + high)
        return np.where(inside, u * f - self.value(y, f), np.inf)

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse negative amounts, and nothing but zeros."""
        super().check(y, owner)
        refuse_only_zeros(y, owner, self.name)


RESPONSE = Tweedie
