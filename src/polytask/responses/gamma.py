"""Positive amounts: the gamma loss with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import gammaln, xlogy

from polytask.responses.base import Response, Targets
from polytask.responses.log_link import LogLink, exp
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["Gamma"]


def _deviance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return Gamma().deviance(y, mean)


@dataclass(frozen=True)
class Gamma(LogLink):
    """loss(y, f) = y / mu - 1 - log(y / mu), mu = exp(f), for y > 0: half the deviance.

    For costs, times and other amounts whose spread grows with their mean.

    Parameters
    ----------
    shape : float or None, default=None
        That of the gamma density, one over the dispersion: the loss times it is minus the log
        likelihood. It changes no coefficients but those of mixed models, which estimate it; None
        counts as one.
    """

    shape: float | None = None

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
        return self._shape * (y * exp(-f) - 1.0 + f - np.log(y))

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return self._shape * (1.0 - y * exp(-f))

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        return self._shape * y * exp(-f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return -self._shape * y * exp(-f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): u log y + (1 - u) log(1 - u) + u for u <= 1."""
        u = u / self._shape
        left = np.maximum(1.0 - u, 0.0)
        found = self._shape * (u * np.log(y) + xlogy(left, left) + u)
        return np.where(u <= 1, found, np.inf)

    @property
    def _shape(self) -> float:
        return 1.0 if self.shape is None else self.shape

    def as_likelihood(self) -> Response:
        """With a shape, to be learned unless it is given."""
        return replace(self, shape=self._shape)

    @property
    def learns_likelihood(self) -> bool:
        """Whether the shape is still to be learned."""
        return self.shape is None

    @property
    def parameters(self) -> np.ndarray:
        """The logarithm of the shape."""
        return np.array([np.log(self._shape)])

    def with_parameters(self, values: np.ndarray) -> Response:
        """With that."""
        return replace(self, shape=float(np.exp(np.clip(values[0], -20.0, 20.0))))

    def constant(self, y: np.ndarray) -> np.ndarray:
        """Of the density, less what the loss has of it."""
        a = self._shape
        return np.asarray(gammaln(a) - a * np.log(a) + a + np.log(y))


RESPONSE = Gamma
