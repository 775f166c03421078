"""Counts: the Poisson loss with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln, xlogy

from polytask.responses.base import Targets, is_whole, refuse_only_zeros
from polytask.responses.log_link import LogLink, exp
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["Poisson"]

_ZEROS = 0.05  # share of zeros from which whole numbers pass for counts; scores and years have few
_SCATTER = 0.75  # variance over mean from which they do; counts have one and more, ratings less
_HIGHEST, _TOP = 10, 5  # of ratings from zero, and rows of it: those of counts grow fewer upwards


def _constant(y: np.ndarray) -> np.ndarray:
    found: np.ndarray = xlogy(y, y) - y
    return found


def _has_exposures(y: np.ndarray, weight: np.ndarray) -> bool:
    """Whether counts are whole and rates are not."""
    return is_whole(weight * y) and not is_whole(y)


def _deviance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return Poisson().deviance(y, mean)


@dataclass(frozen=True)
class Poisson(LogLink):
    """loss(y, f) = mu - y - y log(mu / y), mu = exp(f), for y >= 0: half the deviance.

    It is minus the log likelihood up to a term in y, and zero where the prediction is perfect.

    With exposures (time at risk, area) the target is the rate, count / exposure, and the exposure
    its sample weight: the likelihood is that of the counts with log(exposure) as an offset.
    """

    name = "poisson"
    title = "counts"
    is_canonical = True
    trees = "poisson"
    reaches_boundary = True
    is_likelihood = True
    targets: ClassVar[Targets] = Targets(
        "zero or positive", "Counts have no sign: correct the value, or take loss='squared'.", 0.0
    )
    metrics = ("poisson_deviance", "poisson_deviance_explained", "rmse", "mae")
    row_losses: ClassVar = deviance_losses(
        "poisson_deviance", RowLoss("Poisson deviance", _deviance)
    )

    @classmethod
    def signs(cls, y: np.ndarray) -> str:
        """Whole numbers, none negative, some zero, scattered as counts are, the highest rare."""
        if not ((y >= 0) & (y == np.round(y))).all() or (y == 0).mean() < _ZEROS:
            return ""
        if np.var(y) < _SCATTER * np.mean(y):
            return ""
        top, below = (int((y == y.max() - less).sum()) for less in (0, 1))
        if y.max() <= _HIGHEST and top >= max(_TOP, below):
            return ""
        return f"counts ({(y == 0).mean():.0%} are zero)"

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return exp(f) - y * f + _constant(y)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return exp(f) - y

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        return exp(f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return exp(f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): q log q - q - y log y + y at q = u + y >= 0."""
        q = u + y
        return np.where(q >= 0, _constant(np.maximum(q, 0.0)) - _constant(y), np.inf)

    def constant(self, y: np.ndarray) -> np.ndarray:
        """Of the factorial, less what the loss has of it."""
        return np.asarray(gammaln(y + 1.0) - _constant(y))

    def constants(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The same, of counts among exposures where counts are whole and rates are not."""
        if not _has_exposures(y, weight):
            return super().constants(y, weight)
        count = weight * y
        return float((gammaln(count + 1.0) - count * np.log(weight) - weight * _constant(y)).sum())

    def n_observations(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Weights count rows, but exposures do not."""
        return float(len(y)) if _has_exposures(y, weight) else super().n_observations(y, weight)

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse negative counts, and nothing but zeros."""
        super().check(y, owner)
        refuse_only_zeros(y, owner, self.name)


RESPONSE = Poisson
