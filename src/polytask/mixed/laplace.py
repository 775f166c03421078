"""Variances of a generalized linear mixed model by Laplace's approximation.

Observation j of task i has the likelihood exp(-loss(y, x'(w0 + Δw_i))), Δw_i ~ N(0, Gamma). The
integral over all coefficients, w0 with a flat prior (or w0_k ~ N(0, kappa_k) on some), is that
of the normal density with the mode and curvature of the integrand. With Gamma = L L', Δw_i = L u_i
and the mode of (w0, u), minus twice its logarithm is, up to a constant,

    2 (sum_j s_j loss_j + sum ‖u_i‖² / 2) + sum log|A_i| + log|S|,

A_i, S of `polytask.mixed.point` with H_i = X_i' diag(s loss'') X_i at the mode. Restricted,
since w0 is integrated out: lme4's glmer maximizes over w0 instead, which understates variances
where tasks are few. Unlike penalized quasi-likelihood, which stops at the normal model of the
working responses (Breslow and Clayton, JASA 88, 1993) and is biased to zero with binary targets,
the deviance is of the data, and its slope counts that the curvature moves with the mode: with the
leverages v_j of the mode's covariance, c_i = X_i'(s loss''' v) and e_i = (I - K_i H_i)'c_i, the
gradient in Gamma gains the symmetric part of sum (e_i - T_i S^-1 sum e) q_i'.

The approximation itself errs where tasks have few rows, in the order 1 / n_i a task.

Few labels may be separated, and then the likelihood grows with the variances for ever. So the
standard deviation of a row's log odds between tasks, whose square is tr Gamma on average over rows
(scaled columns), has a half-normal prior of scale 2.5, and that of the slopes' common part, too:
two such deviations are the way from 50 % to 99 %. It adds (tr Gamma + sum kappa) / 2.5² to the
deviance, little where a likelihood has a maximum, and leaves a variance of zero an answer. See
Gelman et al., Ann. Appl. Stat. 2 (2008), for the scale, and Chung et al., Psychometrika 78 (2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.algebra.linalg import inverses_and_log_dets
from polytask.data import RowsAt, TaskData
from polytask.data.row_sums import quadratic_forms
from polytask.mixed.point import MixedPoint
from polytask.mixed.reml import MixedModel, column_scale
from polytask.responses import Loss
from polytask.solvers.descent import Descent, along
from polytask.structures import Blocks

__all__ = ["LaplaceModel", "LaplacePoint", "Place"]

_STEPS = 60
_LOG_ODDS = 2.5  # scale of the prior of their standard deviation between tasks
_SLOW = 0.1  # share of the last step's promise from which on a step by an old curvature is slow
_LAST = 1e-15  # of steps by an old curvature, which do not square the error
_TOL = 1e-10  # decrease of the objective, relative, that the last Newton step promises


class LaplaceModel:
    """Task data and a loss, columns scaled to a mean square of one.

    Parameters
    ----------
    data : TaskData
    loss : Loss
        With a third derivative: minus the log likelihood of an observation.
    unit : int ndarray of shape (p,) or None
        Columns of the same unit are scaled alike.
    """

    silent = False
    most_variance = 1e6
    own_variances = moments = None

    def __init__(self, data: TaskData, loss: Loss, unit: np.ndarray | None = None) -> None:
        self.data, self.loss = data, loss
        s = data.sample_weight
        total = np.diag(data.design.total_gram(s))
        self.n_rows = float(s.sum())
        self.scale = column_scale(total / self.n_rows, unit)
        self.shift = np.zeros(data.n_coefs)
        self.varies = total > 0
        self.intercept = data.intercept
        common = np.zeros(data.n_coefs)
        if data.intercept:
            common[-1] = self.scale[-1] * loss.start(data.y, s)
        self._level = (common, np.zeros((data.n_tasks, data.n_coefs)))
        self._last = self._level
        self._last_grams: np.ndarray | None = None

    def with_loss(self, loss: Loss) -> LaplaceModel:
        """With another loss; the search for modes goes on."""
        other = copy(self)
        other.loss = loss
        vars(other).pop("at_level", None)
        return other

    @cached_property
    def at_level(self) -> RowsAt:
        """The loss of all rows without features, whatever Gamma is."""
        return self.risk(np.repeat(self._level[0][None], self.data.n_tasks, axis=0))

    @property
    def n_coefs(self) -> int:
        """Number of coefficients p."""
        return self.data.n_coefs

    def rank(self, free: np.ndarray) -> int:
        """Rank of the columns of a mask (p,), whose common part is free."""
        total = self.data.design.total_gram(self.data.sample_weight)
        return int(np.linalg.matrix_rank(total[np.ix_(free, free)]))

    def at(self, L: np.ndarray, kappa: np.ndarray | None = None) -> LaplacePoint:
        """Everything at Gamma = L L'.

        The search for the mode starts at the last one or without features, whichever is nearer:
        the mode at a wild trial, all probabilities zero or one, would never be left again.
        """
        point = LaplacePoint(self, L, kappa, (self._last, self._level), self._last_grams)
        self._last, self._last_grams = (point.common, point.q), point.grams
        return point

    def risk(self, theta: np.ndarray) -> RowsAt:
        """The loss of all rows at scaled coefficients (m, p)."""
        data = self.data
        f = data.design.predict(theta / self.scale)
        return RowsAt(data.design, data.y, data.sample_weight, self.loss, f)

    def pull(self, risk: RowsAt) -> np.ndarray:
        """Minus its gradient in each task's scaled coefficients, shape (m, p)."""
        return -risk.gradient / self.scale

    def grams(self, risk: RowsAt) -> np.ndarray:
        """Its curvature in each task's scaled coefficients, shape (m, p, p)."""
        H = self.data.design.grams(risk.weight * risk.curvature)
        return H / (self.scale[:, None] * self.scale)


@dataclass(frozen=True, eq=False)
class Place:
    """Minus the logarithm of the integrand, at w0 and u."""

    model: LaplaceModel
    L: np.ndarray
    prior: np.ndarray  # precision of w0
    blocks: Blocks

    @cached_property
    def theta(self) -> np.ndarray:
        """Scaled coefficients of the tasks, shape (m, p)."""
        return np.asarray(self.blocks["common"] + self.blocks["u"] @ self.L.T)

    @cached_property
    def risk(self) -> RowsAt:
        """The loss of the rows."""
        return self.model.risk(self.theta)

    @cached_property
    def value(self) -> float:
        """Minus the logarithm."""
        prior = float(self.prior @ self.blocks["common"] ** 2)
        return self.risk.total + 0.5 * float((self.blocks["u"] ** 2).sum()) + 0.5 * prior

    @cached_property
    def pull(self) -> np.ndarray:
        """Minus the gradient of the loss, shape (m, p)."""
        return self.model.pull(self.risk)

    @cached_property
    def residual(self) -> Blocks:
        """Gradient of `value`."""
        common = self.prior * self.blocks["common"] - self.pull.sum(axis=0)
        return {"common": common, "u": self.blocks["u"] - self.pull @ self.L}


class LaplacePoint(MixedPoint):
    """Mode, deviance and gradient at one Gamma.

    Parameters
    ----------
    model : LaplaceModel
    L, kappa
        See `polytask.mixed.reml.RemlPoint`.
    starts : sequence of (common, q) of shapes (p,), (m, p)
        The search for the mode starts at the best of them; the last is without features.
    near : ndarray of shape (m, p, p) or None
        Curvature at a mode nearby. Steps by it cost a gradient each, and are taken while the search
        comes nearer by them; then Newton's.
    """

    def __init__(
        self,
        model: LaplaceModel,
        L: np.ndarray,
        kappa: np.ndarray | None,
        starts: Sequence[tuple[np.ndarray, np.ndarray]],
        near: np.ndarray | None = None,
    ) -> None:
        self.model, self.L, self.kappa, self.noise = model, L, kappa, 1.0
        places = [self.look({"common": common, "u": q @ L}) for common, q in starts]
        vars(places[-1])["risk"] = model.at_level
        start = min(places, key=lambda at: np.nan_to_num(at.value, nan=np.inf))
        none = lambda at: False  # noqa: E731
        self._promise = np.inf
        if near is not None:
            self._factor(near)
        step, last = (self._newton, _TOL) if near is None else (self._step, _LAST)
        descent = Descent(start.blocks, step, none, _STEPS, last=last, sure=self._newton)
        descent.tell(start)
        self.at = descent.run(self.look).here
        self.common, self.u = self.at.blocks["common"], self.at.blocks["u"]
        self.objective = self.at.value
        log_det = self._factor(self.model.grams(self.at.risk))
        self.q = self.at.pull
        self.deviance = 2.0 * self.objective + log_det + self._prior_deviance()

    def _prior_deviance(self) -> float:
        """What the prior of the variances adds."""
        common = 0.0 if self.kappa is None else float(self.kappa[self.J > 0].sum())
        return (float((self.L**2).sum()) + common) / _LOG_ODDS**2

    @property
    def prior(self) -> np.ndarray:
        """Precision of w0, shape (p,)."""
        return np.zeros(self.model.n_coefs) if self.kappa is None else 1.0 / self.kappa

    def look(self, blocks: Blocks) -> Place:
        """The integrand there."""
        return Place(self.model, self.L, self.prior, blocks)

    def _newton(self, at: Place) -> tuple[Blocks, int]:
        """To the mode of the quadratic model."""
        self._factor(self.model.grams(at.risk))
        return self._to_mode(at), 1

    def _step(self, at: Place) -> tuple[Blocks, int]:
        """By the curvature at hand, unless that brings little."""
        step = self._to_mode(at)
        promise = along(step, at.residual)
        if promise > _SLOW * self._promise:
            self._promise = np.inf
            return self._newton(at)
        self._promise = promise
        return step, 1

    def _to_mode(self, at: Place) -> Blocks:
        """The step to the mode of the quadratic model with the curvature at hand."""
        slope = at.residual
        eliminated = (self.HLA @ slope["u"][:, :, None])[:, :, 0]
        common = self.S_inverse @ (slope["common"] - eliminated.sum(axis=0))
        rest = slope["u"] - (self.grams @ common) @ self.L
        return {"common": common, "u": (self.A_inverse @ rest[:, :, None])[:, :, 0]}

    def _factor(self, H: np.ndarray) -> float:
        """A, T, S of curvatures H; returns the log determinants."""
        L = self.L
        HL = H @ L
        self.A_inverse, log_dets = inverses_and_log_dets(np.eye(L.shape[1]) + L.T @ HL)
        self.HLA = HL @ self.A_inverse
        self.grams, self.T = H, H - self.HLA @ HL.transpose(0, 2, 1)
        self.S = self.T.sum(axis=0)
        return float(log_dets.sum()) + self._set_precision()

    @cached_property
    def _moving(self) -> tuple[np.ndarray, np.ndarray]:
        """e_i (m, p), and S^-1 sum e_i: what the curvature adds by moving with the mode."""
        model, data = self.model, self.model.data
        V = self.coef_covariance() / (model.scale[:, None] * model.scale)
        third = data.sample_weight * model.loss.third(data.y, self.at.risk.f)
        c = data.design.adjoint(third * quadratic_forms(data.design, V)) / model.scale
        left = np.eye(len(self.L)) - self.L @ self.A_inverse @ self.L.T @ self.grams
        e = (c[:, None, :] @ left)[:, 0]
        return e, self.S_inverse @ e.sum(axis=0)

    def taken(self, pull: np.ndarray) -> np.ndarray:
        """Predictors (N,) by which the mode answers pulls on the rows' predictors (N,)."""
        model, design = self.model, self.model.data.design
        c = design.adjoint(pull) / model.scale
        K = self.L @ self.A_inverse @ self.L.T
        e = c - (self.grams @ (K @ c[:, :, None]))[:, :, 0]
        total = self.S_inverse @ e.sum(axis=0)
        own = c - self.grams @ total
        return design.predict((total + (K @ own[:, :, None])[:, :, 0]) / model.scale)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of the deviance in Gamma, shape (p, p)."""
        e, total = self._moving
        M = self.S - self.sums.shared - self.sums.Q + (e - self.T @ total).T @ self.q
        return 0.5 * (M + M.T) + np.eye(len(M)) / _LOG_ODDS**2

    @cached_property
    def kappa_gradient(self) -> np.ndarray:
        """Derivative of the deviance in kappa, shape (p,), zero where w0 is free."""
        assert self.kappa is not None
        moving = self._moving[1] * self.q.sum(axis=0) / self.kappa
        return np.asarray(super().kappa_gradient + moving + self.J / _LOG_ODDS**2)

    def quadratic(self) -> MixedModel:
        """The linear mixed model with the mode and curvature of this one, its noise one."""
        model = self.model
        theta = self.at.theta
        cross = self.q + (self.grams @ theta[:, :, None])[:, :, 0]
        square = float((cross * theta).sum())
        return MixedModel(
            self.grams, cross, square, model.shift, model.scale, model.n_rows, model.intercept,
            known_noise=True,
        )  # fmt: skip
