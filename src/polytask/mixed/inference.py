"""Intervals and tests of what a linear mixed model estimates: variances between tasks, and w0.

A variance has the interval of values whose profiled restricted deviance, minimal over all other
parameters, is at most a quantile of chi² with one degree of freedom above the least. It needs no
normal approximation, and ends at zero where zero is no less likely than that. Whether a variance is
zero is asked at the boundary: with r parameters of its row of the covariance the rise of the
deviance is half chi²(r - 1) and half chi²(r), which is zero or more with r = 1 (Self and Liang,
JASA 82, 1987; Stram and Lee, Biometrics 50, 1994).

w0 has a t distribution whose degrees of freedom, 2 C² / Var(C) with C the variance of the
estimate, follow from the curvature of the deviance in its parameters (Satterthwaite, Biometrics
Bulletin 2, 1946; Giesbrecht and Burns, Biometrics 41, 1985): the rule of R's lmerTest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats
from scipy.optimize import brentq, minimize

from polytask.mixed.doubts import has_no_noise
from polytask.mixed.reml import RemlPoint
from polytask.mixed.state import MixedState

__all__ = ["Inference"]

_STEP = 1e-4  # of parameters, for differences of slopes
_DIGITS = 1e-3  # relative, of the ends of intervals
_LOG_NOISE = 12.0  # logarithm by which noise may differ from its estimate
_FARTHEST = 1e4  # deviation over the estimate, or over the noise, that is tried


@dataclass(frozen=True, eq=False)
class Inference:
    """A mixed model's parameters: the deviations' root in units of the target, and log noise.

    Parameters
    ----------
    state : MixedState
    """

    state: MixedState

    @cached_property
    def best(self) -> np.ndarray:
        """Parameters of the estimate, the logarithm of the noise last."""
        point = self._at(self.state.parameters)
        return np.append(np.sqrt(point.noise) * self.state.parameters, np.log(point.noise))

    @cached_property
    def no_noise(self) -> bool:
        """Whether the fit leaves no noise to estimate."""
        return has_no_noise(self.state.model, self._at(self.state.parameters), self.state.root)

    @cached_property
    def least(self) -> float:
        """Deviance of the estimate."""
        return self.deviance(self.best)[0]

    def deviance(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Restricted deviance, the noise not profiled, and its gradient."""
        root = self.state.root
        noise = float(np.exp(z[-1]))
        t = z[:-1] / np.sqrt(noise)
        point = self._at(t)
        log_det = point.deviance - point.free * np.log(point.noise)
        value = point.free * z[-1] + point.rss / noise + log_det
        point.noise = noise  # the gradient's q q' counts it
        slope = root.slope(point)
        last = point.free - point.rss / noise - 0.5 * float(slope @ t)
        return value, np.append(slope / np.sqrt(noise), last)

    def _at(self, t: np.ndarray) -> RemlPoint:
        return self.state.model.at(self.state.root.at(t), self.state.kappa)

    # Variances between tasks.

    def variance_test(self, k: int) -> float:
        """p-value of coefficient k not differing between tasks."""
        rise = max(self._profile(k)(0.0) - self.least, 0.0)
        r = self._n_parameters(k)
        one_less = stats.chi2.sf(rise, r - 1) if r > 1 else float(rise <= 0)
        return float(0.5 * one_less + 0.5 * stats.chi2.sf(rise, r))

    def variance_interval(self, k: int, level: float) -> tuple[float, float]:
        """Standard deviation between tasks of coefficient k, in its units about the center."""
        profile, most = self._profile(k), float(stats.chi2.ppf(level, 1))
        row = self.state.root.row == k
        here = float(np.sqrt((self.best[self.state.root.owner[row]] ** 2).sum()))

        def above(deviation: float) -> float:
            return profile(deviation) - self.least - most

        low = 0.0
        if above(0.0) > 0:
            low = float(brentq(above, 0.0, here, xtol=1e-12, rtol=_DIGITS))
        near, far = here, max(2.0 * here, 0.05 * float(np.exp(0.5 * self.best[-1])))
        end = _FARTHEST * far
        while above(far) < 0 and far < end:
            near, far = far, 2.0 * far
        high = np.inf if far >= end else float(brentq(above, near, far, rtol=_DIGITS))
        scale = self.state.model.scale[k]
        return low / scale, high / scale

    def _n_parameters(self, k: int) -> int:
        """Parameters that go with the variance of k: one, or with its correlations."""
        root = self.state.root
        diagonal = (root.row == root.column).all()
        return 1 if diagonal else min(len(np.unique(root.row)), int((root.row == k).sum()) + 1)

    def _profile(self, k: int) -> Callable[[float], float]:
        """The least deviance at a standard deviation of k, in scaled columns."""
        own = np.unique(self.state.root.owner[self.state.root.row == k])
        start = {"z": self.best.copy()}
        reach = 1e3 * max(float(np.exp(0.5 * self.best[-1])), float(np.abs(self.best[:-1]).max()))
        bounds = [(-reach, reach)] * (len(self.best) - 1)
        bounds.append((self.best[-1] - _LOG_NOISE, self.best[-1] + _LOG_NOISE))
        if not start["z"][own].any():
            start["z"][own] = 1.0  # a direction

        def profile(deviation: float) -> float:
            def fixed(z: np.ndarray) -> tuple[float, np.ndarray]:
                v = z[own]
                size = max(float(np.linalg.norm(v)), 1e-300)
                at = z.copy()
                at[own] = deviation * v / size
                value, slope = self.deviance(at)
                across = slope[own] - v * (v @ slope[own]) / size**2
                slope[own] = deviation / size * across
                return value, slope

            found = minimize(
                fixed, start["z"], jac=True, method="L-BFGS-B", bounds=bounds,
                options={"gtol": 1e-5},
            )  # fmt: skip
            start["z"] = found.x
            return float(found.fun)

        return profile

    # The common part.

    def common_degrees(self, contrasts: np.ndarray) -> np.ndarray:
        """Satterthwaite's degrees of freedom of contrasts (j, p) of w0 about the center."""
        z, step = self.best, _STEP * np.maximum(np.abs(self.best), 0.1)

        def each(at: np.ndarray) -> np.ndarray:
            noise = float(np.exp(at[-1]))
            point = self._at(at[:-1] / np.sqrt(noise))
            C = noise * point.S_inverse / self.state.model.scale[:, None] / self.state.model.scale
            return np.asarray(np.einsum("jk,kl,jl->j", contrasts, C, contrasts))

        ends = [(z + e, z - e) for e in np.diag(step)]
        slope = np.array([(each(a) - each(b)) for a, b in ends]) / (2.0 * step)[:, None]
        H = np.array([self.deviance(a)[1] - self.deviance(b)[1] for a, b in ends])
        H = H / (2.0 * step)[:, None]
        values, vectors = np.linalg.eigh(0.5 * (H + H.T))
        kept = values > 1e-8 * values[-1]
        along = vectors[:, kept].T @ slope
        variance = 2.0 * (along**2 / values[kept][:, None]).sum(axis=0)
        return np.asarray(2.0 * each(z) ** 2 / np.maximum(variance, 1e-300))
