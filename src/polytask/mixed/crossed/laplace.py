"""Several groupings and a likelihood that is not normal: Laplace's approximation.

With h(w0, u) = sum_j s_j loss_j + sum ‖u‖² / 2, b = L u, minus twice the logarithm of the integral
over u is, at the mode and with the curvature V = diag(s loss'') there,

    2 h + log|I + L'Z'VZ L| (+ log|X'V^-1 X|),

with the bracket where w0 is integrated out too (restricted); otherwise w0 minimizes the whole, as
in lme4's glmer. Its gradient counts that the curvature moves with the mode: with leverages l_j of
the rows in the integrated coefficients, c = s loss''' l, and e = Z'P c, P the projection of the
weighed rows,

    M = (slope of the log determinants) - sum (g g' - (e g' + g e') / 2),   g = -Z's loss',

in every Gamma = L L'. What there is beside them, w0 unless it is integrated out and parameters of
the loss (a dispersion, a shape, thresholds), is searched together with the roots.
Restricted likelihoods of labels have the prior of `polytask.mixed.laplace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from polytask.mixed.by_parameters import ByParameters, by_parameters
from polytask.mixed.crossed.point import FAR, Eliminate, Elimination, Solved
from polytask.mixed.crossed.rows import CrossSums, GroupedRows
from polytask.mixed.roots import Roots, descend
from polytask.responses import Loss

__all__ = ["CrossedLaplace", "LaplacePoint"]

_STEPS = 100
_TOL = 1e-9  # of the objective, relative, that the last Newton step promises
_ROUGH = 1e-2  # where no more than a start is sought
_ARMIJO, _SHORT = 1e-4, 1e-6  # share of a promise that a step must bring; the least step
_WILD = 20.0  # deviance above the last from which a point is no place to go on from
_LEAST = 1e-12  # curvature of a row


class CrossedLaplace:
    """Rows, a loss and the last mode that was found.

    Parameters
    ----------
    rows : GroupedRows
    T : ndarray of shape (N, p)
        Columns of w0.
    y, weight : ndarrays of shape (N,)
    loss : Loss
        Minus the log likelihood of a row, with a third derivative.
    restricted : bool
    prior : float
        Precision of every variance's half-normal prior, in scaled columns; zero for none.
    learn : bool
        Whether the parameters of the loss are those of the largest likelihood.
    eliminate : callable
        How systems are solved.
    """

    def __init__(
        self, rows: GroupedRows, T: np.ndarray, y: np.ndarray, weight: np.ndarray, loss: Loss,
        restricted: bool, prior: float = 0.0, learn: bool = False,
        eliminate: Eliminate = Elimination,
    ) -> None:  # fmt: skip
        self.eliminate = eliminate
        self.rows, self.T, self.y, self.weight, self.loss = rows, T, y, weight, loss
        self.restricted, self.prior, self.learn = restricted, prior, learn
        self.levels = [term.n_levels for term in rows.terms]
        self._T = np.column_stack([T, np.zeros(len(y))])
        self.level = np.linalg.lstsq(T, np.full(len(y), loss.start(y, weight)), rcond=None)[0]
        self.last: LaplacePoint | None = None
        self._known = (loss, loss.constants(y, weight))

    def known(self, loss: Loss) -> float:
        """What the likelihood of all rows has beyond the loss."""
        if loss is not self._known[0]:
            self._known = loss, loss.constants(self.y, self.weight)
        return self._known[1]

    def point(
        self, roots: Sequence[np.ndarray], common: np.ndarray | None, loss: Loss, tol: float = _TOL
    ) -> LaplacePoint:
        """The point with w0 held where it is given."""
        return LaplacePoint(self, roots, common, loss, tol)

    def predictor(self, common: np.ndarray, deviations: Sequence[np.ndarray]) -> np.ndarray:
        """Linear predictors (N,)."""
        return np.asarray(self.T @ common + self.rows.predict(deviations))

    def curvature(self, loss: Loss, f: np.ndarray) -> np.ndarray:
        """Weighed second derivative of each row at predictors f."""
        return np.asarray(self.weight * np.maximum(loss.curvature(self.y, f), _LEAST))

    def sums(self, loss: Loss, f: np.ndarray, slope: np.ndarray) -> CrossSums:
        """Of the quadratic model at predictors f, where the rows have the slope s loss'."""
        v = self.curvature(loss, f)
        vT = v[:, None] * self._T
        vT[:, -1] = v * f - slope
        return self.rows.sums(v, self._T, vT, again=True)

    def __call__(
        self, roots: Sequence[np.ndarray], beside: np.ndarray | None = None
    ) -> LaplacePoint:
        """The point at these roots, with what is given, or is best, beside them."""
        if beside is not None:
            return self._held(roots, beside)
        first = self.first(roots)
        if not len(first):
            return self._held(roots, first)
        held = lambda _, beside: self._held(roots, beside)  # noqa: E731
        found: LaplacePoint = descend(held, Roots([]), first).point
        return found

    def first(self, roots: Sequence[np.ndarray]) -> np.ndarray:
        """Where a search begins for what there is beside the roots.

        That is w0, unless it is integrated out, and the parameters of the loss.
        """
        if self.last is not None:
            return self.last.beside
        own = self.loss.parameters if self.learn else np.zeros(0)
        if self.restricted:
            return own
        rough = self.point(roots, None, self.loss, _ROUGH)
        return np.append(rough.common, own)

    def _held(self, roots: Sequence[np.ndarray], beside: np.ndarray) -> LaplacePoint:
        """The point at these roots with that beside them."""
        common, own = np.split(beside, [0 if self.restricted else self.T.shape[1]])
        loss = self.loss.with_parameters(own) if self.learn else self.loss
        return self.point(roots, None if self.restricted else common, loss)


class LaplacePoint:
    """Deviance, slopes and mode at given roots.

    ``common`` (p,) is held where it is given; else it is part of the mode.
    """

    noise = 1.0
    noiseless, most = False, FAR

    def __init__(
        self, model: CrossedLaplace, roots: Sequence[np.ndarray], common: np.ndarray | None,
        loss: Loss, tol: float = _TOL,
    ) -> None:  # fmt: skip
        self.roots, self.laplace, self.held, self.loss = list(roots), model, common, loss
        self.tol = tol
        self.n_steps = 0
        self.common, self.deviations = self._search()
        prior = model.prior * sum(float((L**2).sum()) for L in roots)
        self.deviance = 2.0 * (self.value + model.known(loss)) + self.log_det + prior
        if model.last is None or self.deviance < model.last.deviance + _WILD:
            model.last = self

    @cached_property
    def model(self) -> Solved:
        """The quadratic model at the mode."""
        whole = self.laplace
        sums = whole.sums(self.loss, self.f, self._slopes)
        model = Solved(sums, self.roots, whole.levels, whole.restricted, self.held, whole.eliminate)
        model.common, model.deviations = self.common, self.deviations
        return model

    @property
    def log_det(self) -> float:
        """Logarithms of the determinants."""
        return self.model.log_det

    @property
    def log_det_gradients(self) -> list[np.ndarray]:
        """Gradient of the log determinants in every Gamma, the curvature of the rows held."""
        return self.model.log_det_gradients

    @property
    def inner_common(self) -> np.ndarray:
        """Curvature in w0, the deviations profiled out."""
        return self.model.inner_common

    @property
    def common_covariance(self) -> np.ndarray:
        """Of w0's estimate, the roots taken as known."""
        return self.model.common_covariance

    def _search(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Newton's steps to the mode, from where the last quadratic model puts it."""
        whole = self.laplace
        b, self.value, self.f = self._start()
        for _ in range(_STEPS):
            self.n_steps += 1
            slope = whole.weight * self.loss.gradient(whole.y, self.f)
            target = self._target(b, slope)
            f = self._predictor(target)
            promise = float(slope @ (self.f - f)) + sum(
                float((u * (u - v)).sum()) for u, v in zip(b[1], target[1], strict=True)
            )
            ends = promise <= self.tol * max(abs(self.value), 1.0)  # such a step squares the error
            size, trial = 1.0, target
            value = self._value(trial, f)
            while not value <= self.value - _ARMIJO * size * promise and not ends:
                size *= 0.5
                if size < _SHORT:
                    break
                trial = self._mixed(b, target, size)
                f = self._predictor(trial)
                value = self._value(trial, f)
            if size < _SHORT:
                break
            b, self.value, self.f = trial, value, f
            if ends:
                break
        return b[0], [u @ L.T for u, L in zip(b[1], self.roots, strict=True)]

    @cached_property
    def _slopes(self) -> np.ndarray:
        """Weighed slope of each row."""
        whole = self.laplace
        return np.asarray(whole.weight * self.loss.gradient(whole.y, self.f))

    def _start(self) -> Any:
        """The minimum of the last quadratic model, or no deviations if that is nearer."""
        whole, last = self.laplace, self.laplace.last
        if last is not None:
            with np.errstate(all="ignore"):
                found = self._placed(self._from(last))
            if found[1] <= last.value + _WILD:
                return found
        level = whole.level if self.held is None else self.held
        zero = [np.zeros((m, L.shape[1])) for m, L in zip(whole.levels, self.roots, strict=True)]
        nowhere = self._placed((level, zero))
        if last is None or not found[1] < nowhere[1]:
            return nowhere
        return found

    def _placed(self, place: Any) -> Any:
        f = self._predictor(place)
        return place, self._value(place, f), f

    def _target(self, place: Any, slope: np.ndarray) -> Any:
        """Where Newton's step from a place leads, whose rows have that slope."""
        return self._lowest(self.laplace.sums(self.loss, self.f, slope))

    def _from(self, last: Any) -> Any:
        """Where the quadratic model of another point is lowest."""
        return self._lowest(last.model.sums)

    def _lowest(self, sums: CrossSums) -> Any:
        """W0 and u = L'Z'(what a quadratic model leaves) at its minimum; L may be singular."""
        whole = self.laplace
        model = Solved(sums, self.roots, whole.levels, False, self.held, whole.eliminate)
        return model.common, [g @ L for g, L in zip(model.pulls, self.roots, strict=True)]

    def _predictor(self, place: Any) -> np.ndarray:
        common, u = place
        return self.laplace.predictor(common, [x @ L.T for x, L in zip(u, self.roots, strict=True)])

    def _value(self, place: Any, f: np.ndarray) -> float:
        whole = self.laplace
        squares = sum(float((u**2).sum()) for u in place[1])
        with np.errstate(over="ignore", invalid="ignore"):
            return float(whole.weight @ self.loss.value(whole.y, f)) + 0.5 * squares

    @staticmethod
    def _mixed(a: Any, b: Any, size: float) -> Any:
        return (
            a[0] + size * (b[0] - a[0]),
            [x + size * (z - x) for x, z in zip(a[1], b[1], strict=True)],
        )

    @cached_property
    def beside(self) -> np.ndarray:
        """What is held beside the roots."""
        common = np.zeros(0) if self.held is None else self.held
        return np.append(common, self.loss.parameters) if self.laplace.learn else common

    @cached_property
    def _v(self) -> np.ndarray:
        """Weighed curvature of each row."""
        return self.laplace.curvature(self.loss, self.f)

    @cached_property
    def _leverage(self) -> np.ndarray:
        """Of each row in the integrated coefficients."""
        whole, model = self.laplace, self.model
        first, rest, index = whole.rows.coordinates
        leverage = model.system.leverages(first, whole.rows.terms[0].code, rest, index)
        if whole.restricted:
            left = whole.T - np.column_stack(
                [whole.rows.predict([b[..., k] for b in model._split(*model._solution)])
                 for k in range(whole.T.shape[1])]
            )  # fmt: skip
            leverage = leverage + ((left @ model.common_covariance) * left).sum(axis=1)
        return np.asarray(leverage)

    def _taken(self, c: np.ndarray) -> np.ndarray:
        """What the integrated coefficients take back of pulls c (N,): predictors (N,)."""
        whole, model = self.laplace, self.model
        first, rest = whole.rows.first_by_level(c), whole.rows.rest_by_level(c)
        own, other = model.system.solve(first[:, None], rest[:, None])
        f = whole.rows.predict([b[..., 0] for b in model._split(own, other)])
        if whole.restricted:
            left = whole.T.T @ c - (
                model._solution[0].T @ first + model._solution[1].T @ rest
            )[:-1]  # fmt: skip
            along = model.common_covariance @ left
            f += whole.T @ along - whole.rows.predict(
                [b[..., :-1] @ along for b in model._split(*model._solution)]
            )
        return f

    @cached_property
    def _followed(self) -> tuple[np.ndarray, np.ndarray]:
        """C, third derivatives times leverages, less what the mode takes back; and the latter."""
        whole = self.laplace
        c = whole.weight * self.loss.third(whole.y, self.f) * self._leverage
        taken = self._taken(c)
        return c - self._v * taken, taken

    @cached_property
    def common_turn(self) -> np.ndarray:
        """What the determinants add to the gradient in w0."""
        return np.asarray(self.laplace.T.T @ self._followed[0])

    @cached_property
    def _by_parameters(self) -> ByParameters:
        """What the parameters of the loss change."""
        whole = self.laplace
        return by_parameters(self.loss, whole.y, self.f, whole.weight)

    @cached_property
    def beside_slope(self) -> np.ndarray:
        """Gradient of the deviance in what is held beside the roots."""
        whole, out = self.laplace, []
        if self.held is not None:
            out.append(2.0 * (whole.T.T @ self._slopes) + self.common_turn)
        if whole.learn:
            by, taken = self._by_parameters, self._followed[1]
            out.append(2.0 * by.total + by.curvature @ self._leverage - by.slope @ taken)
        return np.concatenate([np.zeros(0), *out])

    @cached_property
    def beside_curvature(self) -> np.ndarray:
        """Its second derivatives, but for what the determinants add."""
        whole = self.laplace
        S = 2.0 * self.inner_common
        if not whole.learn:
            return S
        by = self._by_parameters
        taken = np.array([self._taken(c) for c in by.slope])
        own = 2.0 * (by.bend - by.slope @ taken.T)
        if self.held is None:
            return own
        cross = 2.0 * (by.slope - self._v * taken) @ whole.T
        return np.block([[S, cross.T], [cross, own]])

    @cached_property
    def pulls(self) -> list[np.ndarray]:
        """G = -Z's loss' of every term's levels, (m, q)."""
        return self.by_level(-self._slopes)

    def by_level(self, values: np.ndarray) -> list[np.ndarray]:
        """Z'values of every term's levels, (m, q)."""
        rows, split = self.laplace.rows, self.model._split
        first, rest = rows.first_by_level(values), rows.rest_by_level(values)
        return [part[..., 0] for part in split(first[:, None], rest[:, None])]

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """Gradient of the deviance in every Gamma, (q, q)."""
        out = []
        moved = self.by_level(self._followed[0])
        for M, g, e in zip(self.log_det_gradients, self.pulls, moved, strict=True):
            cross = e.T @ g
            found = M - g.T @ g + 0.5 * (cross + cross.T)
            out.append(0.5 * (found + found.T) + self.laplace.prior * np.eye(len(found)))
        return out

    def information(self, slopes: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
        """That of the normal model with this mode and curvature."""
        return self.model.information(slopes)
