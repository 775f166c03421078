"""The common part of a generalized linear mixed model, its deviations integrated out.

At the joint mode of w0 and u, which predicts the tasks of the data best, w0 is too near zero: the
modes of the deviations lag behind their means where rows are few. The marginal likelihood of w0,
the deviations integrated out by Laplace's approximation, has minus twice its logarithm

    2 min_u (sum_j s_j loss_j + sum ‖u_i‖² / 2) + sum log|A_i|,

with A_i at the mode of u given w0. The slope of the first part is -2 sum q_i; that of the
determinants, with h_j = x'K_i x what the deviations leave of variance in row j and
c_i = X_i'(s loss''' h), is sum (I - H_i K_i) c_i. Steps with S^-1, half the inverse curvature of
the first part, settle in a few rounds. It is the estimate of lme4's glmer at given variances.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from polytask.algebra.linalg import inverses_and_log_dets, psd_inverse
from polytask.data.row_sums import quadratic_forms
from polytask.mixed.laplace import LaplacePoint, Place
from polytask.mixed.search import RemlEstimate
from polytask.mixed.spread import reaches
from polytask.solvers.descent import Descent
from polytask.structures import Blocks

__all__ = ["marginal_common"]

_ROUNDS, _STEPS = 50, 60
_FEW = 12  # coefficients, and parameters of variances, up to which curvatures are by differences
_DIFFERENCE = 1e-2  # of a standard error
_SETTLED = 1e-5  # standard errors that a last step moves w0 by
_TOL = 1e-12  # decrease of the objective, relative, that the last Newton step promises


class _Held:
    """The modes of the deviations at a given w0, and the slope of the marginal likelihood there."""

    def __init__(self, point: LaplacePoint, common: np.ndarray, u: np.ndarray) -> None:
        self.point, self.L, self.common = point, point.L, common
        start = point.look({"common": common, "u": u})
        none = lambda at: False  # noqa: E731
        descent = Descent(start.blocks, self._step, none, _STEPS, last=_TOL)
        at = descent.run(point.look).here
        self.u = at.blocks["u"]
        self._factor(at)
        T = self.grams - self.grams @ self.K @ self.grams
        self.S = T.sum(axis=0) + np.diag(point.prior)
        self.S_inverse = psd_inverse(self.S)
        prior = 0.5 * float(point.prior @ common**2)
        model = point.model
        known = model.loss.constants(model.data.y, model.data.sample_weight)
        self.log_likelihood = -(at.value - prior) - 0.5 * self.log_det - known
        self.slope = 2.0 * (point.prior * common - at.pull.sum(axis=0)) + self._determinants(at)

    def covariance(self) -> np.ndarray:
        """Inverse curvature by differences of slopes; that of the modes alone where w0 is long."""
        p = len(self.common)
        if p > _FEW:
            return self.S_inverse
        step = _DIFFERENCE * np.sqrt(np.diag(self.S_inverse))
        rows = [
            (_Held(self.point, self.common + e, self.u).slope - self.slope) / e[k] / 2.0
            for k, e in enumerate(np.diag(step))
        ]
        H = np.array(rows)
        return psd_inverse(0.5 * (H + H.T))

    def _step(self, at: Place) -> tuple[Blocks, int]:
        self._factor(at)
        u = (self.A_inverse @ at.residual["u"][:, :, None])[:, :, 0]
        return {"common": np.zeros_like(self.common), "u": u}, 1

    def _factor(self, at: Place) -> None:
        self.grams = self.point.model.grams(at.risk)
        A = np.eye(self.L.shape[1]) + self.L.T @ self.grams @ self.L
        self.A_inverse, log_dets = inverses_and_log_dets(A)
        self.log_det = float(log_dets.sum())
        self.K = self.L @ self.A_inverse @ self.L.T

    def _determinants(self, at: Place) -> np.ndarray:
        model, data = self.point.model, self.point.model.data
        h = quadratic_forms(data.design, self.K / (model.scale[:, None] * model.scale))
        third = data.sample_weight * model.loss.third(data.y, at.risk.f)
        c = data.design.adjoint(third * h) / model.scale
        return (c - (self.grams @ self.K @ c[:, :, None])[:, :, 0]).sum(axis=0)


def marginal_common(
    estimate: RemlEstimate,
) -> tuple[np.ndarray, float, Callable[[], np.ndarray]]:
    """w0 of the greatest marginal likelihood (its prior stays), the log likelihood, its covariance.

    In scaled columns. The covariance takes most of the time of a fit and is made when it is asked
    for: the inverse curvature of that likelihood and, where there are few parameters, what the
    error of the variances adds, w0 at the ends of their posterior's axes.
    """
    point = estimate.point
    assert isinstance(point, LaplacePoint)
    here = _climb(point, point.common, point.u)
    return here.common, here.log_likelihood, partial(_covariance, estimate, here)


def _covariance(estimate: RemlEstimate, here: _Held) -> np.ndarray:
    point, root, t = here.point, estimate.root, estimate.parameters
    covariance = here.covariance()
    if 0 < root.size <= _FEW:
        V, up, down = reaches(point.model, point, root, t)
        for step in np.concatenate([(V * up).T, -(V * down).T]):
            other = point.model.at(root.at(t + step), point.kappa)
            off = _climb(other, here.common, other.u).common - here.common
            covariance = covariance + 0.5 * np.outer(off, off)
    return covariance


def _climb(point: LaplacePoint, common: np.ndarray, u: np.ndarray) -> _Held:
    at, size, last = _Held(point, common, u), 1.0, np.inf
    for _ in range(_ROUNDS):
        move = 0.5 * at.S_inverse @ at.slope
        far = float(np.sqrt(move @ at.S @ move))
        if far > last:  # the determinants turn faster than S tells
            size *= 0.5
        last = far
        at = _Held(point, at.common - size * move, at.u)
        if far <= _SETTLED:
            break
    return at
