"""Quantiles: the pinball loss, smoothed in a band about zero whose width bounds what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.optimize import brentq

from polytask.responses.base import Response
from polytask.responses.huber import scale_of, weighted_median
from polytask.responses.row_losses import ABSOLUTE, SQUARED, RowLoss

__all__ = ["Quantile"]

_WIDE, _NARROW = 0.5, 0.5**6  # of the band, in scales: where a fit begins and ends
_SHRINKS = 2.0  # times from fit to fit
_LEAST = 3e-8  # width, in that of the targets: in less, their rounding is a slope of 1e-8


@dataclass(frozen=True)
class Quantile(Response):
    """loss(y, f) = (q - 1/2) r + a(r), r = y - f, a(r) = |r| / 2 outside |r| <= width.

    Inside a(r) = r² / (4 width) + width / 4, which is at most width / 4 above |r| / 2. So the mean
    pinball loss of a fit is within width / 4 of the least there is. `predict` is the q-quantile.

    Parameters
    ----------
    q : float, default=0.5
        Between 0 and 1; 0.5 is the median.
    width : float or None, default=None
        Of the band, in units of y. None is a 64th of the scale of the residuals, and at least 3e-8
        of the largest target. Fits begin with half a scale, where strengths are chosen, and the
        band shrinks from fit to fit.
    scale : float or None, default=None
        What the residuals' scale was found to be.

    References
    ----------
    Koenker and Bassett, Regression quantiles, Econometrica 46 (1978). Chen, A finite smoothing
    algorithm for quantile regression, J. Comput. Graph. Stat. 16 (2007).
    """

    q: float = 0.5
    width: float | None = None
    scale: float | None = None

    name = "quantile"
    title = "a quantile"
    has_kinks = True
    trees = "quantile"
    metrics: ClassVar[tuple[str, ...]] = ("pinball", "mae", "rmse")

    def __post_init__(self) -> None:
        """Refuse what is no share, and widths that are not positive."""
        if not 0 < self.q < 1:
            raise ValueError(f"Quantile: q must be between 0 and 1; got {self.q!r}.")
        for name in ("width", "scale"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"Quantile: {name} must be positive; got {value!r}.")

    @property
    def row_losses(self) -> dict[str, RowLoss]:  # type: ignore[override]
        """The pinball loss of this quantile, and the errors of MAE and RMSE."""
        words = "pinball loss" if self.q == 0.5 else f"pinball loss at {self.q:g}"
        return {"pinball": RowLoss(words, self.pinball), "mae": ABSOLUTE, "rmse": SQUARED}

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The one."""
        return (self.q,)

    @property
    def learns(self) -> bool:
        """Whether the width is still to be found."""
        return self.width is None

    @property
    def tree_options(self) -> dict[str, float]:
        """The quantile."""
        return {"quantile": self.q}

    @property
    def band(self) -> float:
        """How far from zero a residual is inside the band, in units of y."""
        return 1.0 if self.width is None else self.width

    def across(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Place of each residual in the band, from -1 to 1, which is also that of all beyond it.

        A loss of a wider band has the same slope at the target y + (wide - band) across(y, f).
        """
        return np.clip((y - f) / self.band, -1.0, 1.0)

    def pinball(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """The loss without a band."""
        r = y - f
        return np.asarray(np.maximum(self.q * r, (self.q - 1.0) * r))

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        over = np.maximum(self.band - np.abs(y - f), 0.0)  # how far inside the band
        return self.pinball(y, f) + over**2 / (4.0 * self.band)

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        return np.asarray(0.5 - self.q - 0.5 * self.across(y, f))

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f: one over twice the width inside the band, zero outside."""
        return (np.abs(y - f) <= self.band) / (2.0 * self.band)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        return np.zeros_like(f)

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)) = u y + width (s² - 1/4) with s = u + q - 1/2 in [-1/2, 1/2]."""
        s = u + self.q - 0.5
        inside = np.abs(s) <= 0.5 * (1.0 + 1e-12)
        return np.where(inside, u * y + self.band * (s**2 - 0.25), np.inf)

    def deviance(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Twice the pinball loss."""
        return 2.0 * self.pinball(y, mean)

    def null_fit(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The quantile of the targets."""
        low, high = float(y.min()) - self.band, float(y.max()) + self.band

        def slope(f: float) -> float:
            return float(weight @ self.gradient(y, np.full(y.shape, f)))

        return float(brentq(slope, low, high, xtol=1e-12 * max(abs(low), abs(high), 1e-300)))

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """That of a band as wide as the targets' scale."""
        return 0.5 / scale_of(y - weighted_median(y, weight), weight, y)

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """The steepest."""
        return np.full(y.shape, max(self.q, 1.0 - self.q))

    def majorizer(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """1 / (2 |r|) outside the band: iteratively reweighted least squares."""
        return 0.5 / np.maximum(np.abs(y - f), self.band)

    def started(self, y: np.ndarray, weight: np.ndarray, code: np.ndarray) -> Response:
        """A wide band."""
        if not self.learns:
            return self
        return replace(
            self, width=_WIDE * scale_of(y - weighted_median(y, weight), weight, y), scale=None
        )

    def updated(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> Response:
        """First the scale of the residuals, at which the band is wide; then a narrower band."""
        r = y - f
        if self.scale is None:
            scale = scale_of(r - weighted_median(r, weight), weight, y)
            return replace(self, width=_WIDE * scale, scale=scale)
        least = max(_NARROW * self.scale, _LEAST * float(np.abs(y).max(initial=0.0)))
        return replace(self, width=max(self.band / _SHRINKS, least))

    def is_near(self, other: Response, tol: float) -> bool:
        """Whether the band has its last width."""
        assert isinstance(other, Quantile)
        return self.scale is not None and self.scale == other.scale and self.width == other.width


RESPONSE = Quantile
