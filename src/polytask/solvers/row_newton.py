"""Newton's method for L = A V of a given rank on products with the rows: no p × p matrix.

Heads and own intercepts follow the directions exactly, so what is minimized is a function of V
alone (variable projection, Golub and Pereyra 1973). Its Hessian times a step costs one product with
the rows each way. Heads are w0 + δ_i where their prior has a w0, which is then searched for beside
V.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.problem import Problem
from polytask.solvers.basis import simultaneous
from polytask.solvers.heads import FreeHeads, HeadModel, Heads
from polytask.solvers.linalg import psd_inverse, psd_inverses
from polytask.solvers.restricted import RestrictedRows
from polytask.solvers.truncated_newton import Direction, newton_direction

__all__ = ["RowPoint"]

_FORCING = 0.1  # share of the residual that a step leaves


class RowPoint:
    """Second-order model of the objective in the directions, at the best heads of V (k, d).

    A penalty that depends on A V only is put on the slopes A V themselves, where no normalization
    of V is needed; the balanced form of the trace norm is put on A and V.
    """

    def __init__(self, problem: Problem, model: HeadModel, V: np.ndarray, heads: Heads) -> None:
        data, prior = problem.data, model.prior
        self.d, self.k = data.n_features, len(V)
        self.bound, self.A, self.V = model.on_basis(heads.A, V)
        if not model.turns:  # the best heads on balanced directions, so that they follow V
            heads = FreeHeads(0.5 * prior.own).fit(problem, self.V, None)
            self.A = heads.A
        self.on_slopes = prior.own if model.turns else 0.0
        self.on_V = 0.0 if model.turns else prior.own
        self.on_mean = prior.common
        self.mean = np.zeros(self.k) if prior.common is None else model.common(self.A)  # type: ignore[attr-defined]
        self.delta = self.A - self.mean
        self._rest(problem)
        f = problem.predict({"low_rank": self.A @ self.V, **heads.rest})
        v = data.weight * np.maximum(problem.loss.curvature(data.y, f), 1e-10)
        self.H = RestrictedRows(data.design, v, self._padded())
        D = np.append(np.full(self.k, prior.own), self.own_ridge)
        square = self.H.square.copy()
        np.einsum("ijj->ij", square)[:] += D
        self.inverse = psd_inverses(square)
        G = problem.risk_gradient(f)
        self.g = G[:, : self.d] + self.on_slopes * (self.delta @ self.V)
        self.g_mean = G[:, : self.d].sum(axis=0)
        if self.on_mean is not None:
            self.g_mean = self.g_mean + self.on_mean * (self.mean @ self.V)
        self.common_slope = G[:, self.common].sum(axis=0)
        self.average = (data.design.column_norms(v)[:, : self.d] ** 2).mean(axis=0)

    @property
    def B(self) -> np.ndarray:
        """Heads, (m, k)."""
        return self.A

    def step(self, convex: bool) -> np.ndarray:
        """Change of V (k, d); ``convex`` drops what may point to a saddle far from the optimum."""
        return newton_direction(self, self, 0.0, convex, _FORCING).C.T

    def promise(self, direction: np.ndarray) -> float:
        """By how much the model says that a step will lower the objective."""
        return 0.5 * float((self.descent(convex=False).C.T * direction).sum())

    def descent(self, convex: bool) -> Direction:
        """Minus the gradient in V', the common intercept and w0."""
        C = self.g.T @ self.delta + self.on_V * self.V.T
        slope = self.common_slope
        if self.on_mean is not None:
            C += np.outer(self.g_mean, self.mean)
            slope = np.append(slope, self.V @ self.g_mean)
        return Direction(-C, -slope)

    def product(self, step: Direction, convex: bool) -> Direction:
        """The Hessian times a step: heads follow it."""
        k, c = self.k, len(self.common)
        common, mean = step.common[:c], step.common[c:]
        theta = np.zeros((len(self.A), self.n_columns))
        theta[:, : self.d] = self.A @ step.C.T
        theta[:, self.common] += common
        if len(mean):
            theta[:, : self.d] += mean @ self.V
        image = self.H.image(theta)
        force = self.H.force(image)
        force[:, :k] += self.on_slopes * (self.delta @ (step.C.T @ self.V.T))
        if not convex:
            force[:, :k] += self.g @ step.C
        local = -(self.inverse @ force[:, :, None])[:, :, 0]
        q = self.H.whole(self.H.plus(image, local))
        own, total = q[:, : self.d].copy(), q[:, : self.d].sum(axis=0)
        if self.on_slopes:
            own += self.on_slopes * (self.delta @ step.C.T + local[:, :k] @ self.V)
        C = own.T @ self.delta + self.on_V * step.C
        if not convex:
            C += self.g.T @ local[:, :k]
        out = q[:, self.common].sum(axis=0)
        if len(mean):
            total += self.on_mean * (self.mean @ step.C.T + mean @ self.V)
            C += np.outer(total, self.mean)
            slope = self.V @ total
            if not convex:
                C += np.outer(self.g_mean, mean)
                slope = slope + step.C.T @ self.g_mean
            out = np.append(out, slope)
        return Direction(C, out)

    def preconditioner(self, B: np.ndarray, alpha: float) -> Callable[[Direction], Direction]:
        """The inverse of A'A ⊗ the diagonal of the mean curvature + the penalty's bound on V."""
        T, beta = simultaneous(self.A.T @ self.A, self.bound)
        scale = beta[:, None] + self.average
        scale = np.maximum(scale, 1e-6 * float(scale.mean()))
        mass = self.H.v.sum()
        mean = np.zeros((0, 0))
        if self.on_mean is not None:
            total = self.H.square[:, : self.k, : self.k].sum(axis=0)
            mean = psd_inverse(total + self.on_mean * np.eye(self.k))
        c = len(self.common)

        def apply(r: Direction) -> Direction:
            C = (T @ ((T.T @ r.C.T) / scale)).T
            return Direction(C, np.append(r.common[:c] / mass, mean @ r.common[c:]))

        return apply

    def _rest(self, problem: Problem) -> None:
        """Intercepts: own ones, and the common one unless every task has it free."""
        rest = problem.structure.rest  # type: ignore[attr-defined]
        self.n_columns = problem.data.n_coefs
        self.own = np.flatnonzero(rest.deviation)
        self.own_ridge = 2.0 * problem.penalties["deviation"].strength  # type: ignore[attr-defined]
        common = np.flatnonzero(rest.common)
        self.common = common[~np.isin(common, self.own[self.own_ridge == 0])]

    def _padded(self) -> np.ndarray:
        """A task's own columns in the space of Theta: V' and intercepts, (p, k + own)."""
        Z = np.zeros((self.n_columns, self.k + len(self.own)))
        Z[: self.d, : self.k] = self.V.T
        Z[self.own, self.k + np.arange(len(self.own))] = 1.0
        return Z
