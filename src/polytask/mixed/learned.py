"""Parameters of a likelihood by the marginal likelihood: a dispersion, a shape, thresholds.

At given variances they minimize the deviance of `polytask.mixed.laplace` plus twice the constants
of the rows' likelihoods. With D a parameter's derivative, leverages l_j of the coefficients'
covariance, c as there and t_j the predictors that the mode would take back of pulls c, its slope is

    sum 2 D(-log likelihood) + l D(s loss'') - t D(s loss').

Steps have as Hessian that of the penalized likelihood with the coefficients profiled out.
"""

from __future__ import annotations

import numpy as np

from polytask.data.row_sums import quadratic_forms
from polytask.mixed.by_parameters import by_parameters
from polytask.mixed.laplace import LaplaceModel, LaplacePoint
from polytask.responses import ImpossibleParametersError

__all__ = ["learned", "whole_deviance"]

_STEPS = 50
_TOL = 1e-9  # deviance that a last step could gain


def whole_deviance(point: LaplacePoint) -> float:
    """The deviance with the constants of the rows' likelihoods."""
    model = point.model
    return point.deviance + 2.0 * model.loss.constants(model.data.y, model.data.sample_weight)


def learned(model: LaplaceModel, point: LaplacePoint) -> LaplaceModel | None:
    """The model with the parameters of least deviance at the variances of a point.

    None where no step would gain anything.
    """
    moved = False
    for _ in range(_STEPS):
        slope, H = _slopes(point)
        step = -np.linalg.lstsq(H, slope, rcond=None)[0]
        if slope @ step > 0:
            step = -slope / np.abs(np.diag(H)).max()
        if -0.5 * float(slope @ step) <= _TOL:
            break
        found = _lower(model, point, step, float(slope @ step))
        if found is None:
            break
        (model, point), moved = found, True
    return model if moved else None


def _lower(
    model: LaplaceModel, point: LaplacePoint, step: np.ndarray, promise: float
) -> tuple[LaplaceModel, LaplacePoint] | None:
    """The first of the halved steps that lowers the deviance."""
    here, before = model.loss.parameters, whole_deviance(point)
    for size in 0.5 ** np.arange(20):
        try:
            other = model.with_loss(model.loss.with_parameters(here + size * step))
        except ImpossibleParametersError:
            continue
        found = other.at(point.L, point.kappa)
        if whole_deviance(found) < before + 0.1 * size * promise:
            return other, found
    return None


def _slopes(point: LaplacePoint) -> tuple[np.ndarray, np.ndarray]:
    """Of the deviance in the parameters, the variances held, and about its Hessian."""
    model = point.model
    data, f = model.data, point.at.risk.f
    by = by_parameters(model.loss, data.y, f, data.sample_weight)
    V = point.coef_covariance() / (model.scale[:, None] * model.scale)
    leverage = quadratic_forms(data.design, V)
    third = data.sample_weight * model.loss.third(data.y, f) * leverage
    taken = point.taken(third)
    slope = 2.0 * by.total + by.curvature @ leverage - by.slope @ taken
    across = np.array([point.taken(each) for each in by.slope])
    return slope, 2.0 * (by.bend - by.slope @ across.T)
