"""Intervals and tests of standard deviations by the profiled deviance: least over all else.

A standard deviation has the interval of values whose profiled deviance is at most a quantile of
chi² with one degree of freedom above the least. It needs no normal approximation, and ends at zero
where zero is no less likely than that. Whether it is zero is asked at the boundary: with r
parameters of its row of the covariance the rise of the deviance is half chi²(r - 1) and half
chi²(r), which is zero or more with r = 1 (Self and Liang, JASA 82, 1987; Stram and Lee, Biometrics
50, 1994).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize

__all__ = ["Profiled", "Surface"]

_DIGITS = 1e-3  # relative, of the ends of intervals
_LOG_NOISE = 12.0  # logarithm by which noise may differ from its estimate
_NOTHING = 1e-6  # rise of the deviance that is where a search stopped
_FARTHEST = 1e4  # deviation over the estimate, or over the noise, that is tried


@dataclass(frozen=True, eq=False)
class Surface:
    """The deviance over the roots' parameters in units of the target, and the log noise, if any.

    Parameters
    ----------
    at : callable
        From parameters over the noise (q,) to a point with ``deviance`` and ``noise``, the noise
        that is best there; with ``free``, its degrees of freedom, where it is estimated.
    slope : callable
        From a point to the gradient in those parameters, with ``noise`` as the point says.
    noisy : bool
        Whether noise is estimated.
    """

    at: Callable[[np.ndarray], Any]
    slope: Callable[[Any], np.ndarray]
    noisy: bool

    def place(self, t: np.ndarray) -> np.ndarray:
        """Where the parameters over the noise are."""
        if not self.noisy:
            return np.array(t, dtype=float)
        noise = self.at(t).noise
        return np.append(np.sqrt(noise) * t, np.log(noise))

    def __call__(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Deviance, the noise not profiled, and its gradient."""
        if not self.noisy:
            point = self.at(z)
            return float(point.deviance), self.slope(point)
        noise = float(np.exp(z[-1]))
        t = z[:-1] / np.sqrt(noise)
        point = self.at(t)
        share = point.noise / noise  # the best there over this one
        value = point.deviance + point.free * (share - 1.0 - np.log(share))
        point.noise = noise  # the gradient's q q' counts it
        slope = self.slope(point)
        last = point.free * (1.0 - share) - 0.5 * float(slope @ t)
        return float(value), np.append(slope / np.sqrt(noise), last)


class Profiled:
    """The least deviance at every size of some parameters, the standard deviation of a coefficient.

    Parameters
    ----------
    surface : callable
        From parameters to the deviance and its gradient, such as `Surface`.
    best : ndarray
        Where it is least.
    own : int ndarray
        Parameters whose norm is held.
    noisy : bool
        Whether the last parameter is the logarithm of the noise.
    """

    def __init__(
        self, surface: Callable[[np.ndarray], tuple[float, np.ndarray]], best: np.ndarray,
        own: np.ndarray, noisy: bool,
    ) -> None:  # fmt: skip
        self.surface, self.own, self.noisy = surface, own, noisy
        self.least = surface(best)[0]
        self.here = float(np.linalg.norm(best[own]))
        self.unit = float(np.exp(0.5 * best[-1])) if noisy else 1.0
        size = float(np.abs(best[: len(best) - noisy]).max(initial=0.0))
        reach = 1e3 * max(self.unit, size)
        self.bounds = [(-reach, reach)] * (len(best) - noisy)
        if noisy:
            self.bounds.append((best[-1] - _LOG_NOISE, best[-1] + _LOG_NOISE))
        self.best = best.copy()
        if not self.best[own].any():
            self.best[own] = 1.0  # a direction
        self.start = self.best

    def rise(self, deviation: float) -> float:
        """How much the deviance is above its least, at a standard deviation."""

        def fixed(z: np.ndarray) -> tuple[float, np.ndarray]:
            v = z[self.own]
            size = max(float(np.linalg.norm(v)), 1e-300)
            at = z.copy()
            at[self.own] = deviation * v / size
            value, slope = self.surface(at)
            across = slope[self.own] - v * (v @ slope[self.own]) / size**2
            slope[self.own] = deviation / size * across
            return value, slope

        if self.start is not self.best and fixed(self.best)[0] < fixed(self.start)[0]:
            self.start = self.best  # where the last search ended is far from here
        found = minimize(
            fixed, self.start, jac=True, method="L-BFGS-B", bounds=self.bounds,
            options={"gtol": 1e-5},
        )  # fmt: skip
        self.start = found.x
        return float(found.fun) - self.least

    def p_of_zero(self, n_parameters: int) -> float:
        """p-value of a standard deviation of zero, which takes so many parameters with it."""
        rise, r = max(self.rise(0.0), 0.0), n_parameters
        one_less = stats.chi2.sf(rise, r - 1) if r > 1 else float(rise <= _NOTHING)
        return float(0.5 * one_less + 0.5 * stats.chi2.sf(rise, r))

    def interval(self, level: float) -> tuple[float, float]:
        """Standard deviations that are not so unlikely."""
        most = float(np.sqrt(stats.chi2.ppf(level, 1)))

        @cache
        def above(deviation: float) -> float:  # roots, which are nearly straight lines
            rise = self.rise(deviation) if deviation != self.here else 0.0
            return float(np.sqrt(max(rise, 0.0))) - most

        low = 0.0
        if above(0.0) > 0:
            low = float(brentq(above, 0.0, self.here, xtol=1e-12, rtol=_DIGITS))
        near, far = self.here, max(2.0 * self.here, 0.05 * self.unit)
        end = _FARTHEST * far
        while above(far) < 0 and far < end:
            near, far = far, 2.0 * far
        high = np.inf if far >= end else float(brentq(above, near, far, rtol=_DIGITS))
        return low, high
