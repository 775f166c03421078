"""Classes, any number of them: the multinomial loss, softmax of a linear predictor per class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.linalg import helmert

from polytask.responses.base import Response, Targets
from polytask.responses.row_losses import (
    CLASS_BRIER,
    CLASS_LOG,
    CLASS_LOG_LEFT,
    CLASS_ZERO_ONE,
)

__all__ = ["Multinomial"]

_MOST_CURVATURE = 0.5  # of the log of a sum of exponentials


@dataclass(frozen=True)
class Multinomial(Response):
    """loss(y, f) = log(sum_k exp(g_k)) - g_y for y in {0, ..., K - 1}: minus the log likelihood.

    Only differences of the K class predictors g_k matter. They are taken with sum zero, g = C f,
    C (K, K - 1) with orthonormal columns, so that f has K - 1 free coordinates and a ridge on its
    coefficients is the same on those of the classes.

    Parameters
    ----------
    n_classes : int
    """

    n_classes: int

    name = "multinomial"
    title = "classes"
    has_labels = True
    reaches_boundary = True
    is_likelihood = True
    asks = "predict_proba"
    targets: ClassVar[Targets] = Targets("a class", "", 0.0)
    metrics: ClassVar[tuple[str, ...]] = ("log_loss", "auc", "brier", "accuracy")
    other_metrics: ClassVar[tuple[str, ...]] = ("average_precision", "log_loss_explained")
    row_losses: ClassVar = {
        "log_loss": CLASS_LOG,
        "brier": CLASS_BRIER,
        "accuracy": CLASS_ZERO_ONE,
        "log_loss_explained": CLASS_LOG_LEFT,
    }

    @property
    def n_predictors(self) -> int:
        """K - 1."""
        return self.n_classes - 1

    @cached_property
    def contrasts(self) -> np.ndarray:
        """C, shape (K, K - 1): orthonormal columns that sum to zero."""
        return np.asarray(helmert(self.n_classes)).T

    @cached_property
    def directions(self) -> np.ndarray:
        """Differences of two classes, shape (K (K - 1) / 2, K - 1), along which `curvature` is."""
        first, second = np.triu_indices(self.n_classes, 1)
        return np.asarray(self.contrasts[first] - self.contrasts[second])

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation; f has shape (N, K - 1)."""
        g, own = self._by_class_first(f), y.astype(int)
        return np.asarray(np.log(np.exp(g).sum(axis=0)) - g[own, np.arange(len(own))])

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f, shape (N, K - 1)."""
        p, own = self.inverse_link(f), y.astype(int)
        p[np.arange(len(own)), own] -= 1.0
        return p @ self.contrasts

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f as weights of `directions`: p_k p_l for each pair of classes."""
        p = self.inverse_link(f).T
        first, second = np.triu_indices(self.n_classes, 1)
        return np.asarray((p[first] * p[second]).T)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Zero at u = 0: a perfect prediction loses nothing."""
        return np.zeros(len(y))

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, shape (N, K)."""
        p = np.exp(self._by_class_first(f))
        p /= p.sum(axis=0)
        return np.asarray(p.T.reshape(*f.shape[:-1], self.n_classes))

    def _by_class_first(self, f: np.ndarray) -> np.ndarray:
        """Predictors of the classes, the largest of a row zero, shape (K, rows): sums are fast."""
        g = self.contrasts @ f.reshape(-1, self.n_predictors).T
        g -= g.max(axis=0)
        return np.asarray(g)

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The largest there is, so that grids reach far enough whatever the classes' shares."""
        return _MOST_CURVATURE

    def by_class(self, theta: np.ndarray) -> np.ndarray:
        """Coefficients (..., K, p) of the classes from those (..., (K - 1) p) of a solution."""
        parts = theta.reshape(*theta.shape[:-1], self.n_predictors, -1)
        return np.asarray(self.contrasts @ parts)
