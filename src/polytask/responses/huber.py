"""Numbers with outliers: Huber's loss, whose slope is bounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from sklearn.metrics import r2_score

from polytask.responses.base import Response
from polytask.responses.row_losses import ABSOLUTE, SQUARED

__all__ = ["Huber", "scale_of", "weighted_median"]

_NORMAL = (
    1.4826022185056018  # standard deviation of a normal variable, in median absolute deviations
)
_LEAST = 1e-6  # scale that residuals may have, in that of the targets
_STEPS = 100


@dataclass(frozen=True)
class Huber(Response):
    """loss(y, f) = r²/2 where |r| <= c, else c |r| - c²/2, with r = y - f and c = delta * scale.

    A row farther from its prediction than c pulls no harder than one at c.

    Parameters
    ----------
    delta : float, default=1.345
        Where the loss turns linear, in scales. At 1.345 it has 95 % of the efficiency of least
        squares where the noise is normal; smaller is more robust.
    scale : float or None, default=None
        The noise's scale in units of y. None is estimated with the fit, as in statsmodels' RLM and
        R's rlm: 1.4826 times the weighted median of the absolute residuals, which is the standard
        deviation of normal noise. Fits and scales alternate, from the scale of the targets
        about the median of their task, until the scale stays.

    References
    ----------
    Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009.
    """

    delta: float = 1.345
    scale: float | None = None

    name = "huber"
    title = "numbers with outliers"
    has_kinks = True
    trees = "absolute_error"
    metrics = ("mae", "rmse", "explained_variance", "explained_variance_within")
    row_losses: ClassVar = {
        "mae": ABSOLUTE, "rmse": SQUARED, "explained_variance": SQUARED,
        "explained_variance_within": SQUARED,
    }  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse a threshold that is not positive."""
        for name in ("delta", "scale"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"Huber: {name} must be positive; got {value!r}.")
            if value is not None:
                object.__setattr__(self, name, float(value))

    @property
    def threshold(self) -> float:
        """c, in units of y."""
        return self.delta * (1.0 if self.scale is None else self.scale)

    @property
    def learns(self) -> bool:
        """Whether the scale is still to be estimated."""
        return self.scale is None

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        size = np.abs(y - f)
        inner = np.minimum(size, self.threshold)
        return inner * (size - 0.5 * inner)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return np.clip(f - y, -self.threshold, self.threshold)

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f: one inside the threshold, zero outside."""
        return (np.abs(y - f) <= self.threshold).astype(float)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return np.zeros_like(f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)) = u²/2 + u y for |u| <= c."""
        inside = np.abs(u) <= self.threshold * (1.0 + 1e-12)
        return np.where(inside, 0.5 * u**2 + u * y, np.inf)

    def score(self, y: np.ndarray, mean: np.ndarray, weight: np.ndarray | None = None) -> float:
        """R², as of the squared loss."""
        return float(r2_score(y, mean, sample_weight=weight))

    def null_fit(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Huber's estimate of location, by reweighting from the median."""
        f = weighted_median(y, weight)
        for _ in range(_STEPS):
            w = weight * self.majorizer(y, np.full(y.shape, f))
            before, f = f, float(w @ y / w.sum())
            if abs(f - before) <= 1e-12 * self.threshold:
                break
        return f

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """One, the largest: with features most rows come to lie inside the threshold."""
        return 1.0

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """The threshold, which no slope exceeds."""
        return np.full(y.shape, self.threshold)

    def majorizer(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """C / |r| outside the threshold: iteratively reweighted least squares."""
        return self.threshold / np.maximum(np.abs(y - f), self.threshold)

    def started(self, y: np.ndarray, weight: np.ndarray, code: np.ndarray) -> Response:
        """The scale of targets about the median of their task."""
        if not self.learns:
            return self
        middle = np.zeros(int(code.max(initial=-1)) + 1)
        for i in np.unique(code):
            middle[i] = weighted_median(y[code == i], weight[code == i])
        return replace(self, scale=scale_of(y - middle[code], weight, y))

    def updated(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> Response:
        """The scale of the residuals."""
        return replace(self, scale=scale_of(y - f, weight, y))


def scale_of(r: np.ndarray, weight: np.ndarray, y: np.ndarray) -> float:
    """Median absolute deviation about zero; where most are zero, the root of their mean square."""
    found = _NORMAL * weighted_median(np.abs(r), weight)
    if found <= _LEAST * np.abs(y).max(initial=0.0):
        found = float(np.sqrt(weight @ r**2 / weight.sum()))
    return max(found, _LEAST * float(np.abs(y).max(initial=0.0)), np.finfo(float).tiny * 1e20)


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """Weighted median: half the weight on either side, the mean of two where they share it."""
    order = np.argsort(values, kind="stable")
    values, total = values[order], np.cumsum(weight[order])
    half = 0.5 * total[-1]
    at = int(np.searchsorted(total, half * (1 - 1e-12)))
    exact = abs(total[at] - half) <= 1e-12 * half and at + 1 < len(values)
    return float(0.5 * (values[at] + values[at + 1]) if exact else values[at])


RESPONSE = Huber
