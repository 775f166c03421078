"""Shares: the binomial loss of a fraction, with a logit link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln

from polytask.responses.base import Targets, is_whole
from polytask.responses.logistic import Logistic
from polytask.responses.row_losses import RowLoss, deviance_losses

__all__ = ["Binomial"]

_INSIDE = 0.5  # share of targets strictly inside from which numbers from 0 to 1 pass for shares


def _deviance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    least = np.finfo(float).eps
    return Binomial().deviance(y, np.clip(mean, least, 1.0 - least))


@dataclass(frozen=True)
class Binomial(Logistic):
    """loss(y, f) = log(1 + exp(f)) - y f for a share y in [0, 1]; the expected share is predicted.

    Of successes among trials, with the number of trials as sample weight, it is minus the log
    likelihood; of other shares the fractional logit of Papke and Wooldridge (J. Appl. Econom. 11,
    1996).
    """

    name = "binomial"
    title = "shares"
    has_labels = False
    asks = "predict"
    targets: ClassVar[Targets] = Targets(
        "a share between 0 and 1",
        "Divide by 100 what is in percent, and counts by their number of trials.", 0.0, 1.0,
    )  # fmt: skip
    other_metrics: ClassVar[tuple[str, ...]] = ()
    metrics = ("binomial_deviance", "binomial_deviance_explained", "rmse", "mae")
    row_losses: ClassVar = deviance_losses(
        "binomial_deviance", RowLoss("binomial deviance", _deviance)
    )

    @classmethod
    def signs(cls, y: np.ndarray) -> str:
        """All from 0 to 1, most of them inside."""
        inside = ((y > 0) & (y < 1)).mean()
        return "shares from 0 to 1" if ((y >= 0) & (y <= 1)).all() and inside >= _INSIDE else ""

    def constants(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Of how successes lie among trials; of other shares, which have no likelihood, zero."""
        hits, misses = weight * y, weight * (1.0 - y)
        if not (is_whole(hits) and is_whole(misses)):
            return 0.0
        return float((gammaln(hits + 1) + gammaln(misses + 1) - gammaln(weight + 1)).sum())

    def n_observations(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Weights are trials of one observation."""
        return float(len(y))

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse what is no share, and the same end everywhere."""
        super().check(y, owner)
        known = y[~np.isnan(y)]
        if known.size and (known == known[0]).all() and known[0] in (0.0, 1.0):
            raise ValueError(
                f"{owner}: y must vary with loss='binomial'; every share is {known[0]:g}, so that "
                "there is nothing to learn."
            )


RESPONSE = Binomial
