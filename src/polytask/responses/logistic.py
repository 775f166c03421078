"""Labels: the logistic loss of zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, logit, xlog1py, xlogy

from polytask.responses.base import LOG_ODDS_VARIANCE, Response, Targets
from polytask.responses.multinomial import Multinomial
from polytask.responses.row_losses import BRIER, LOG, LOG_LEFT, ZERO_ONE

__all__ = ["Logistic"]

_EVEN_ODDS = 0.25


@dataclass(frozen=True)
class Logistic(Response):
    """loss(y, f) = log(1 + exp(f)) - y f for y in {0, 1}: minus the log likelihood."""

    name = "logistic"
    title = "two classes"
    is_canonical = True
    has_labels = True
    reaches_boundary = True
    is_likelihood = True
    latent_variance = LOG_ODDS_VARIANCE
    asks = "predict_proba"
    targets: ClassVar[Targets] = Targets("0 or 1", "", 0.0, 1.0)
    other_metrics: ClassVar[tuple[str, ...]] = ("log_loss_explained",)
    metrics: ClassVar[tuple[str, ...]] = (
        "log_loss",
        "auc",
        "average_precision",
        "brier",
        "accuracy",
    )
    row_losses: ClassVar = {
        "log_loss": LOG,
        "brier": BRIER,
        "accuracy": ZERO_ONE,
        "log_loss_explained": LOG_LEFT,
    }

    def of_classes(self, n_classes: int) -> Response:
        """The multinomial of more than two."""
        return Multinomial(n_classes) if self.has_labels and n_classes > 2 else self

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return np.log1p(np.exp(-np.abs(f))) + (np.maximum(f, 0.0) - y * f)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return expit(f) - y

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        p = expit(f)
        return p * (1.0 - p)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        p = expit(f)
        return p * (1.0 - p) * (1.0 - 2.0 * p)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)): q log q + (1-q) log(1-q) at q = u + y in [0, 1]."""
        q = u + y
        inside = (q >= 0) & (q <= 1)
        q = np.clip(q, 0.0, 1.0)
        return np.where(inside, xlogy(q, q) + xlog1py(1.0 - q, -q), np.inf)

    def link(self, mean: np.ndarray) -> np.ndarray:
        """Log odds."""
        return logit(mean)

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Probability that y = 1."""
        return expit(f)

    def start(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Zero, which is near enough."""
        return 0.0

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """The derivative."""
        return self.gradient(y, f)

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """That of even odds, the largest there is, so that grids reach far enough at any share."""
        return _EVEN_ODDS


RESPONSE = Logistic
