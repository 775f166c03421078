"""What the parameters of a loss change: of its value, slope and curvature, by differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.responses import Loss

__all__ = ["ByParameters", "by_parameters"]

_STEP = 1e-4  # of a parameter: central differences err in its square


@dataclass(frozen=True, eq=False)
class ByParameters:
    """Derivatives in the r parameters of a likelihood.

    Parameters
    ----------
    total : ndarray of shape (r,)
        Of minus the log likelihood at given predictors.
    bend : ndarray of shape (r, r)
        Its second derivatives.
    slope, curvature : ndarrays of shape (r, N)
        Of the weighted first and second derivative of each row's loss in its predictor.
    """

    total: np.ndarray
    bend: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray


def by_parameters(loss: Loss, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> ByParameters:
    """At the loss's own parameters, and predictors f (N,)."""
    here = loss.parameters
    steps = _STEP * np.eye(len(here))

    def total(at: np.ndarray) -> float:
        other = loss.with_parameters(at)
        return float(weight @ (other.value(y, f) + other.constant(y)))

    up = [loss.with_parameters(here + h) for h in steps]
    down = [loss.with_parameters(here - h) for h in steps]
    high, low = (np.array([total(here + sign * h) for h in steps]) for sign in (1.0, -1.0))
    middle = total(here)
    bend = np.diag(high - 2.0 * middle + low)
    for a in range(len(here)):
        for b in range(a):
            both = total(here + steps[a] + steps[b]) + total(here - steps[a] - steps[b])
            bend[a, b] = bend[b, a] = 0.5 * (
                both - high[a] - high[b] - low[a] - low[b] + 2.0 * middle
            )
    pairs = list(zip(up, down, strict=True))
    return ByParameters(
        (high - low) / (2.0 * _STEP),
        bend / _STEP**2,
        np.array([weight * (a.gradient(y, f) - b.gradient(y, f)) for a, b in pairs]) / (2 * _STEP),
        np.array([weight * (a.curvature(y, f) - b.curvature(y, f)) for a, b in pairs])
        / (2 * _STEP),
    )
