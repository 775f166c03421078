"""Several groupings and a likelihood that is not normal: Laplace's approximation.

With h(w0, u) = sum_j s_j loss_j + sum ‖u‖² / 2, b = L u, minus twice the logarithm of the integral
over u is, at the mode and with the curvature V = diag(s loss'') there,

    2 h + log|I + L'Z'VZ L| (+ log|X'V^-1 X|),

with the bracket where w0 is integrated out too (restricted); otherwise w0 minimizes the whole, as
in lme4's glmer. Its gradient counts that the curvature moves with the mode: with leverages l_j of
the rows in the integrated coefficients, c = s loss''' l, and e = Z'P c, P the projection of the
weighed rows,

    M = (slope of the log determinants) - sum (g g' - (e g' + g e') / 2),   g = -Z's loss',

in every Gamma = L L'. Restricted likelihoods of labels have the prior of `polytask.mixed.laplace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from polytask.mixed.crossed.point import Solved
from polytask.mixed.crossed.rows import GroupedRows
from polytask.responses import Loss

__all__ = ["CrossedLaplace"]

_STEPS = 100
_TOL = 1e-11  # of the objective, relative, that a last Newton step could gain
_LEAST = 1e-12  # curvature of a row


class CrossedLaplace:
    """Rows, a loss and where the last search for a mode ended.

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
    """

    def __init__(
        self, rows: GroupedRows, T: np.ndarray, y: np.ndarray, weight: np.ndarray, loss: Loss,
        restricted: bool, prior: float = 0.0,
    ) -> None:  # fmt: skip
        self.rows, self.T, self.y, self.weight, self.loss = rows, T, y, weight, loss
        self.restricted, self.prior = restricted, prior
        self.levels = [term.n_levels for term in rows.terms]
        level = np.linalg.lstsq(T, np.full(len(y), loss.start(y, weight)), rcond=None)[0]
        zeros = [np.zeros((term.n_levels, len(term.columns))) for term in rows.terms]
        self.start = self.first = (level, zeros)

    def predictor(self, common: np.ndarray, deviations: Sequence[np.ndarray]) -> np.ndarray:
        """Linear predictors (N,)."""
        return np.asarray(self.T @ common + self.rows.predict(deviations))

    def solved(
        self, f: np.ndarray, roots: Sequence[np.ndarray], common: np.ndarray | None
    ) -> Solved:
        """The quadratic model at predictors f: its minimum is Newton's next place."""
        v = self.weight * np.maximum(self.loss.curvature(self.y, f), _LEAST)
        pull = v * f - self.weight * self.loss.gradient(self.y, f)
        T = np.column_stack([self.T, np.zeros(len(f))])
        vT = np.column_stack([v[:, None] * self.T, pull])
        sums = self.rows.sums(v, T, vT)
        return Solved(sums, roots, self.levels, self.restricted, common)

    def at(self, roots: Sequence[np.ndarray]) -> LaplacePoint:
        """The point at these roots."""
        common = None
        if not self.restricted:
            common = self._best_common(roots)
        return LaplacePoint(self, roots, common)

    def _best_common(self, roots: Sequence[np.ndarray]) -> np.ndarray:
        """w0 that minimizes the approximation: Newton steps with the curvature of the mode."""
        point = LaplacePoint(self, roots, self.start[0])
        for _ in range(_STEPS):
            slope = point.common_slope
            step = 0.5 * point.model.common_covariance @ slope
            if float(slope @ step) <= 2e-10:
                break
            for size in 0.5 ** np.arange(12):
                trial = LaplacePoint(self, roots, point.common - size * step)
                if trial.deviance <= point.deviance:
                    break
            if trial.deviance >= point.deviance:
                break
            point = trial
        return point.common


class LaplacePoint:
    """Deviance, slopes and mode at given roots.

    ``common`` (p,) is held where it is given; else it is part of the mode.
    """

    noise = 1.0
    noiseless = False

    def __init__(
        self, model: CrossedLaplace, roots: Sequence[np.ndarray], common: np.ndarray | None
    ) -> None:
        self.roots, self.laplace, self.held = list(roots), model, common
        self.n_steps = 0
        self.model = self._search()
        self.common, self.deviations = self.model.common, self.model.deviations
        self.common_covariance = self.model.common_covariance
        model.start = (self.common, self.deviations)
        prior = model.prior * sum(float((L**2).sum()) for L in roots)
        self.deviance = 2.0 * self.value + self.model.log_det + prior

    def _search(self) -> Solved:
        """Newton's steps to the mode, from the last one unless zero is nearer."""
        whole = self.laplace
        zero = self._place(*whole.first)
        last = self._place(*whole.start)
        b, self.value, self.f = min(last, zero, key=lambda place: place[1])
        for _ in range(_STEPS):
            self.n_steps += 1
            model = whole.solved(self.f, self.roots, self.held)
            target = (model.common, self._whitened(model))
            gained = False
            for size in 0.5 ** np.arange(20):
                trial = self._mixed(b, target, float(size))
                f = self._predictor(trial)
                value = self._value(trial, f)
                if value <= self.value + 1e-14 * abs(self.value):
                    gained = True
                    break
            if not gained:
                break
            gain, (b, self.value, self.f) = self.value - value, (trial, value, f)
            if gain <= _TOL * max(abs(value), 1.0):
                break
        model = whole.solved(self.f, self.roots, self.held)
        model.common, model.deviations = (
            b[0],
            [u @ L.T for u, L in zip(b[1], self.roots, strict=True)],
        )
        return model

    def _place(self, common: np.ndarray, deviations: Sequence[np.ndarray]) -> Any:
        """A start: w0, and the u whose b = L u is nearest to deviations."""
        common = common if self.held is None else self.held
        u = [b @ np.linalg.pinv(L).T for b, L in zip(deviations, self.roots, strict=True)]
        f = self._predictor((common, u))
        return (common, u), self._value((common, u), f), f

    def _whitened(self, model: Solved) -> list[np.ndarray]:
        """U = L'Z'(what the quadratic model leaves): exact for singular L too."""
        return [g @ L for g, L in zip(model.pulls, self.roots, strict=True)]

    def _predictor(self, place: Any) -> np.ndarray:
        common, u = place
        return self.laplace.predictor(common, [x @ L.T for x, L in zip(u, self.roots, strict=True)])

    def _value(self, place: Any, f: np.ndarray) -> float:
        whole = self.laplace
        squares = sum(float((u**2).sum()) for u in place[1])
        with np.errstate(over="ignore"):
            return float(whole.weight @ whole.loss.value(whole.y, f)) + 0.5 * squares

    @staticmethod
    def _mixed(a: Any, b: Any, size: float) -> Any:
        return (
            a[0] + size * (b[0] - a[0]),
            [x + size * (z - x) for x, z in zip(a[1], b[1], strict=True)],
        )

    @cached_property
    def _slopes(self) -> np.ndarray:
        """S loss' of each row."""
        whole = self.laplace
        return np.asarray(whole.weight * whole.loss.gradient(whole.y, self.f))

    @cached_property
    def _curving(self) -> np.ndarray:
        """C = s loss''' times the leverage of each row."""
        whole, model = self.laplace, self.model
        first, rest, index = whole.rows.coordinates()
        code = whole.rows.terms[0].code
        leverage = model.system.leverages(first, code, rest, index)
        if whole.restricted:
            left = whole.T - np.column_stack(
                [whole.rows.predict([b[..., k] for b in model._split(*model._solution)])
                 for k in range(whole.T.shape[1])]
            )  # fmt: skip
            leverage += np.einsum("np,pr,nr->n", left, model.common_covariance, left, optimize=True)
        return np.asarray(whole.weight * whole.loss.third(whole.y, self.f) * leverage)

    @cached_property
    def _followed(self) -> np.ndarray:
        """C less what the mode takes back of it: P c, row by row."""
        whole, model, c = self.laplace, self.model, self._curving
        first, rest = whole.rows.Z[0].T @ c, whole.rows.rest.T @ c
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
        v = whole.weight * np.maximum(whole.loss.curvature(whole.y, self.f), _LEAST)
        return np.asarray(c - v * f)

    @cached_property
    def common_slope(self) -> np.ndarray:
        """Gradient of the deviance in w0 where it is held."""
        return np.asarray(self.laplace.T.T @ (2.0 * self._slopes + self._followed))

    @cached_property
    def pulls(self) -> list[np.ndarray]:
        """G = -Z's loss' of every term's levels, (m, q)."""
        return self._by_level(-self._slopes)

    def _by_level(self, values: np.ndarray) -> list[np.ndarray]:
        pairs = zip(self.laplace.rows.Z, self.laplace.rows.terms, strict=True)
        return [(Z.T @ values).reshape(term.n_levels, -1) for Z, term in pairs]

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """Gradient of the deviance in every Gamma, (q, q)."""
        out = []
        moved = self._by_level(self._followed)
        for M, g, e in zip(self.model.log_det_gradients, self.pulls, moved, strict=True):
            cross = e.T @ g
            found = M - g.T @ g + 0.5 * (cross + cross.T)
            out.append(0.5 * (found + found.T) + self.laplace.prior * np.eye(len(found)))
        return out

    def information(self, slopes: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
        """That of the normal model with this mode and curvature."""
        return self.model.information(slopes)
