"""Numbers: half the squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.metrics import r2_score

from polytask.responses.base import Response
from polytask.responses.row_losses import ABSOLUTE, SQUARED

__all__ = ["Squared"]


@dataclass(frozen=True)
class Squared(Response):
    """loss(y, f) = (y - f)² / 2, as in scikit-learn's GLMs."""

    name = "squared"
    title = "numbers"
    is_quadratic = True
    metrics = ("rmse", "mae", "explained_variance", "explained_variance_within")
    other_metrics = ("nmse",)
    row_losses: ClassVar = {"rmse": SQUARED, "mae": ABSOLUTE}

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        return 0.5 * (y - f) ** 2

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return f - y

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        return np.ones_like(f)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return np.zeros_like(f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)) = u²/2 + u y."""
        return 0.5 * u**2 + u * y

    def score(self, y: np.ndarray, mean: np.ndarray, weight: np.ndarray | None = None) -> float:
        """R²."""
        return float(r2_score(y, mean, sample_weight=weight))

    def start(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Zero: one step leads to the answer from anywhere."""
        return 0.0

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """The derivative."""
        return self.gradient(y, f)

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """One, as everywhere."""
        return 1.0


RESPONSE = Squared
