"""Intervals and tests of what a linear mixed model estimates: variances between tasks, and w0.

Variances by the profiled deviance, see `polytask.mixed.profile`.

w0 has a t distribution whose degrees of freedom, 2 C² / Var(C) with C the variance of the
estimate, follow from the curvature of the deviance in its parameters (Satterthwaite, Biometrics
Bulletin 2, 1946; Giesbrecht and Burns, Biometrics 41, 1985): the rule of R's lmerTest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.mixed.doubts import has_no_noise
from polytask.mixed.laplace import LaplaceModel
from polytask.mixed.profile import Profiled, Surface, units_of
from polytask.mixed.reml import RemlPoint
from polytask.mixed.state import MixedState

__all__ = ["Inference"]

_STEP = 1e-4  # of parameters, for differences of slopes


@dataclass(frozen=True, eq=False)
class Inference:
    """A mixed model's parameters: the deviations' root in units of the target, and log noise.

    Parameters
    ----------
    state : MixedState
    """

    state: MixedState

    @cached_property
    def deviance(self) -> Surface:
        """Restricted deviance, the noise not profiled, and its gradient."""
        return Surface(self._at, self.state.root.slope, noisy=True)

    @cached_property
    def best(self) -> np.ndarray:
        """Parameters of the estimate, the logarithm of the noise last."""
        return self.deviance.place(self.state.parameters)

    @cached_property
    def units(self) -> np.ndarray:
        """How far each goes until the deviance is about a half higher."""
        return units_of(self.deviance, self.best)

    @cached_property
    def no_noise(self) -> bool:
        """Whether the fit leaves no noise to estimate."""
        return has_no_noise(self.state.model, self._at(self.state.parameters), self.state.root)

    def _at(self, t: np.ndarray) -> RemlPoint:
        return self.state.model.at(self.state.root.at(t), self.state.kappa)

    # Variances between tasks.

    def profile(self, k: int, rows: LaplaceModel | None = None) -> Profiled:
        """That of the standard deviation of coefficient k; of labels and counts it needs rows."""
        state = self.state
        if rows is None:
            return Profiled(self.deviance, self.best, state.root.owners(k), True, self.units)
        surface = Surface(
            lambda t: rows.at(state.root.at(t), state.kappa), state.root.slope, noisy=False
        )
        best = surface.place(state.parameters)
        return Profiled(surface, best, state.root.owners(k), False, units_of(surface, best))

    # The common part.

    def common_degrees(self, contrasts: np.ndarray) -> np.ndarray:
        """Satterthwaite's degrees of freedom of contrasts (j, p) of w0 about the center."""
        z, step = self.best, _STEP * np.maximum(np.abs(self.best), 0.1)

        def each(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            noise = float(np.exp(at[-1]))
            t = at[:-1] / np.sqrt(noise)
            point = self._at(t)
            C = noise * point.S_inverse / self.state.model.scale[:, None] / self.state.model.scale
            of_deviance = self.deviance.seen_from(point, t, noise)[1]
            return np.einsum("jk,kl,jl->j", contrasts, C, contrasts), of_deviance

        ends = [(each(z + e), each(z - e)) for e in np.diag(step)]
        slope, H = (
            np.array([above[k] - below[k] for above, below in ends]) / (2.0 * step)[:, None]
            for k in range(2)
        )
        values, vectors = symmetric_eigen(0.5 * (H + H.T))
        kept = values > 1e-8 * values[-1]
        along = vectors[:, kept].T @ slope
        variance = 2.0 * (along**2 / values[kept][:, None]).sum(axis=0)
        return np.asarray(2.0 * each(z)[0] ** 2 / np.maximum(variance, 1e-300))
