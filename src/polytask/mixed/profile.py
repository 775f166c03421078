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
from functools import cache, cached_property
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize

__all__ = ["Profiled", "Surface", "units_of"]

_DIGITS = 1e-3  # relative, of the ends of intervals
_LOG_NOISE = 12.0  # logarithm by which noise may differ from its estimate
_NOTHING = 1e-6  # rise of the deviance that is where a search stopped
_FARTHEST = 1e4  # deviation over the estimate, or over the noise, that is tried
_STEP = 1e-3  # of parameters, for differences of slopes
_BEYOND = 1.1 * 2.0**0.5  # where ends lie by the curvature, in units, and a little more
_FLAT = 1e-3  # curvature of the deviance in a parameter, over that of its size, that is none
_SLOPE = 3e-3  # of the deviance, in units of parameters, at which it moves by less than 1e-4 more


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
        return self.seen_from(self.at(t), t, noise)

    def seen_from(self, point: Any, t: np.ndarray, noise: float) -> tuple[float, np.ndarray]:
        """The same at a point that was made there, whose noise becomes this one."""
        share = point.noise / noise  # the best there over this one
        value = point.deviance + point.free * (share - 1.0 - np.log(share))
        point.noise = noise  # the gradient's q q' counts it
        slope = self.slope(point)
        last = point.free * (1.0 - share) - 0.5 * float(slope @ t)
        return float(value), np.append(slope / np.sqrt(noise), last)


def units_of(
    surface: Callable[[np.ndarray], tuple[float, np.ndarray]], best: np.ndarray
) -> np.ndarray:
    """How far each parameter goes until the deviance is about a half higher, shape (q,)."""
    size = np.maximum(np.abs(best), 0.1 * np.abs(best).max(initial=1e-300))
    steps = np.diag(_STEP * size)
    bend = [(surface(best + e)[1] - surface(best - e)[1]) @ e for e in steps]
    curvature = np.array(bend) / (2.0 * (_STEP * size) ** 2)
    return np.asarray(1.0 / np.sqrt(np.maximum(curvature, _FLAT / size**2)))


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
    units : ndarray
        As of `units_of`.
    """

    def __init__(
        self, surface: Callable[[np.ndarray], tuple[float, np.ndarray]], best: np.ndarray,
        own: np.ndarray, noisy: bool, units: np.ndarray,
    ) -> None:  # fmt: skip
        self.surface, self.own, self.noisy, self.units = surface, own, noisy, units
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

        def in_units(u: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = fixed(u * self.units)
            return value, slope * self.units

        found = minimize(
            in_units, self.start / self.units, jac=True, method="L-BFGS-B",
            bounds=[(a / u, b / u) for (a, b), u in zip(self.bounds, self.units, strict=True)],
            options={"gtol": _SLOPE, "ftol": 1e-10},
        )  # fmt: skip
        self.start = found.x * self.units
        return float(found.fun) - self.least

    @cached_property
    def rise_of_zero(self) -> float:
        """That of a deviation of zero."""
        return self.rise(0.0)

    def p_of_zero(self, n_parameters: int) -> float:
        """p-value of a standard deviation of zero, which takes so many parameters with it."""
        rise, r = max(self.rise_of_zero, 0.0), n_parameters
        one_less = stats.chi2.sf(rise, r - 1) if r > 1 else float(rise <= _NOTHING)
        return float(0.5 * one_less + 0.5 * stats.chi2.sf(rise, r))

    def interval(self, level: float) -> tuple[float, float]:
        """Standard deviations that are not so unlikely."""
        most = float(np.sqrt(stats.chi2.ppf(level, 1)))

        @cache
        def above(deviation: float) -> float:  # roots, which are nearly straight lines
            if deviation == self.here:
                return -most
            rise = self.rise(deviation) if deviation else self.rise_of_zero
            return float(np.sqrt(max(rise, 0.0))) - most

        # The root of the rise is nearly a line: how far one unit goes says where to look.
        step = _BEYOND * most * float(np.linalg.norm(self.units[self.own]))
        low, near = 0.0, self.here
        if above(0.0) > 0:
            far = max(self.here - step, 0.0)
            while above(far) < 0:
                near, far = far, max(far - step, 0.0)
            low = float(brentq(above, far, near, xtol=1e-12, rtol=_DIGITS))
        end = _FARTHEST * max(2.0 * self.here, 0.05 * self.unit)
        near, far = self.here, self.here + min(step, max(self.here, 0.05 * self.unit))
        while above(far) < 0 and far < end:
            near, far = far, 2.0 * far
        high = np.inf if far >= end else float(brentq(above, near, far, rtol=_DIGITS))
        return low, high
