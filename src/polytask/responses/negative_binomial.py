"""Counts that vary more than Poisson's: the negative binomial loss with a logarithmic link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, expit, gammaln, xlogy

from polytask.responses.base import Response, Targets, refuse_only_zeros
from polytask.responses.log_link import LogLink, exp
from polytask.responses.poisson import Poisson
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["NegativeBinomial"]

_ENDS = (-12.0, 7.0)  # of log dispersion: from as good as Poisson to next to nothing but zeros


@dataclass(frozen=True)
class NegativeBinomial(LogLink):
    """Half the deviance of a count with mean mu = exp(f) and variance mu + dispersion mu².

    With theta = 1 / dispersion, loss(y, f) = y log(y / mu) - (y + theta) log((y + theta) / (mu +
    theta)): minus the log likelihood, up to a term in y and theta.

    Parameters
    ----------
    dispersion : float or None, default=None
        None is estimated with the fit by maximum likelihood at the fitted means; fits and
        dispersions alternate until it stays (as R's MASS::glm.nb does). Mixed models take that of
        the marginal likelihood (as R's glmmTMB does).
    """

    dispersion: float | None = None

    name = "negative_binomial"
    title = "counts of large spread"
    trees = "poisson"
    reaches_boundary = True
    is_likelihood = True
    targets: ClassVar[Targets] = Poisson.targets
    metrics = ("poisson_deviance", "poisson_deviance_explained", "rmse", "mae")
    row_losses: ClassVar = deviance_losses(
        "poisson_deviance", RowLoss("Poisson deviance", Poisson().deviance)
    )

    def __post_init__(self) -> None:
        """Refuse a dispersion that is not positive."""
        if self.dispersion is not None:
            if not 0 < self.dispersion < np.inf:
                raise ValueError(
                    f"NegativeBinomial: dispersion must be positive; got {self.dispersion!r}. "
                    "Without any it is loss='poisson'."
                )
            object.__setattr__(self, "dispersion", float(self.dispersion))

    @property
    def theta(self) -> float:
        """1 / dispersion."""
        return 1.0 if self.dispersion is None else 1.0 / self.dispersion

    @property
    def learns(self) -> bool:
        """Whether the dispersion is still to be estimated."""
        return self.dispersion is None

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        n = y + self.theta
        return n * np.log1p((exp(f) - y) / n) + xlogy(y, y) - y * f

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return (exp(f) - y) * self._other(f)

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        other = self._other(f)
        return (y + self.theta) * other * (1.0 - other)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        other = self._other(f)
        return (y + self.theta) * other * (1.0 - other) * (2.0 * other - 1.0)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): an entropy of s = (u + y) / (y + theta) in [0, 1]."""
        n = y + self.theta
        s = (u + y) / n
        inside = (s >= 0) & (s <= 1)
        s = np.clip(s, 0.0, 1.0)
        entropy = xlogy(s, s) + xlogy(1.0 - s, 1.0 - s) - (1.0 - s) * np.log(self.theta)
        return np.where(inside, n * entropy - xlogy(y, y) + n * np.log(n), np.inf)

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse negative counts, and nothing but zeros."""
        super().check(y, owner)
        refuse_only_zeros(y, owner, self.name)

    def started(self, y: np.ndarray, weight: np.ndarray, code: np.ndarray) -> Response:
        """The dispersion about the mean of each task."""
        if not self.learns:
            return self
        m = int(code.max(initial=-1)) + 1
        total, mass = np.bincount(code, weight * y, m), np.bincount(code, weight, m)
        mean = np.maximum(total, 1e-6 * total.sum()) / np.maximum(mass, 1e-300)
        return self.updated(y, np.log(mean)[code], weight)

    def updated(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> Response:
        """The dispersion of largest likelihood at the means exp(f)."""
        mean = exp(f)

        def slope(log_dispersion: float) -> float:
            theta = float(np.exp(-log_dispersion))
            grown = mean + theta
            rows = digamma(y + theta) - digamma(theta) + np.log(theta / grown) + (mean - y) / grown
            return float(weight @ rows)

        low, high = _ENDS
        if slope(low) >= 0 or slope(high) <= 0:  # no more spread than Poisson's, or all of it
            return replace(self, dispersion=float(np.exp(low if slope(low) >= 0 else high)))
        return replace(self, dispersion=float(np.exp(brentq(slope, low, high, xtol=1e-14))))

    @property
    def parameters(self) -> np.ndarray:
        """The logarithm of the dispersion."""
        return np.array([-np.log(self.theta)])

    def with_parameters(self, values: np.ndarray) -> Response:
        """With that; between ends beyond which it changes nothing."""
        return replace(self, dispersion=float(np.exp(np.clip(values[0], *_ENDS))))

    def constant(self, y: np.ndarray) -> np.ndarray:
        """Of the density's gamma functions and powers, less what the loss has of them."""
        theta, n = self.theta, y + self.theta
        of_gammas = gammaln(theta) + gammaln(y + 1.0) - gammaln(n)
        return np.asarray(of_gammas - xlogy(y, y) + n * np.log(n) - theta * np.log(theta))

    def _other(self, f: np.ndarray) -> np.ndarray:
        """Theta / (mu + theta)."""
        found: np.ndarray = expit(np.log(self.theta) - f)
        return found


RESPONSE = NegativeBinomial
