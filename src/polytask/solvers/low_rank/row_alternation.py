"""L = A V of a given rank from products with the rows: Newton's method in V, heads at their best.

Steps are found by conjugate gradients. A product with the Hessian in V, less what the heads give
way to, passes over the rows twice and forms no matrix per task, so that it serves any loss, wide
and sparse rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy import linalg

from polytask.algebra.linalg import symmetric_eigen
from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem
from polytask.solvers.low_rank.heads import HEADS_TOL, HeadModel, slope_bound, solve_small
from polytask.solvers.low_rank.progress import Progress
from polytask.structures import Blocks

__all__ = ["RowPoint", "alternate_rows", "slope_gram"]

_DENSE_UP_TO = 1500  # features: beyond this the preconditioner is diagonal
_CG_STEPS = 60
_HALVINGS = 14
_SHARE, _ROUGH = 1e-2, 1e-4  # of a squared violation, and at most: what heads may leave
_FLAT = 1e-10  # least curvature of a row, where its class is certain
_ROUNDING = 1e-14  # share of the objective


class RowPoint:
    """Directions V, their best heads, and what the objective is there, from the rows."""

    def __init__(
        self, problem: Problem, model: HeadModel, V: np.ndarray, before: Blocks | None = None,
        tol: float = HEADS_TOL,
    ) -> None:  # fmt: skip
        self.problem, self.model = problem, model
        self.V = _orthonormal(V) if model.turns else V
        self.small = model.small(problem, self.V)
        self.blocks = solve_small(self.small, before, tol)
        self.A, self.rest = model.read(len(V), self.blocks)
        self.f = self.small.predict(self.blocks)
        self.value = self.small.objective(self.blocks, self.f) + model.offset(self.V)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of the risk in L, shape (m, d)."""
        return self.problem.risk_gradient(self.f)[:, : self.V.shape[1]]

    @cached_property
    def violation(self) -> float:
        """Largest share of `slope_bound` that is left."""
        left = np.abs(self.model.residual(self.A, self.V, self.gradient))
        return float((left / slope_bound(self.problem)).max(initial=0.0))

    @property
    def smooth(self) -> float:
        """The risk and the penalty on the rest."""
        problem = self.problem
        risk = float(problem.data.weight @ problem.loss.value(problem.data.y, self.f))
        return risk + sum(problem.penalties[b].value(u) for b, u in self.rest.items())

    def moved(self, step: np.ndarray, size: float) -> RowPoint:
        """Other directions; heads are found anew, from where the step would take them.

        To a share of what Newton's method makes of the violation.
        """
        _, back = self.curvature(step)
        before = {b: B - size * back[b] for b, B in self.blocks.items()}
        tol = float(np.clip(_SHARE * self.violation**2, HEADS_TOL, _ROUGH))
        return RowPoint(self.problem, self.model, self.V + size * step, before, tol)

    def balanced(self) -> RowPoint:
        """The same L from factors of one length, where the penalty is on both."""
        V = self.model.on_basis(self.A, self.V)[2]
        return RowPoint(self.problem, self.model, V)

    @cached_property
    def curvature(self) -> Callable[[np.ndarray], tuple[np.ndarray, Blocks]]:
        """The Hessian in V as a product with a step, and by what the heads give way to it."""
        data, k = self.problem.data, len(self.V)
        v = np.maximum(self.problem.loss.curvature(data.y, self.f), _FLAT)
        arrow, small = arrow_problem(self.small).factor(v), self.small
        v = data.weight * v
        B = self.model.on_basis(self.A, self.V)[0]

        def product(D: np.ndarray) -> tuple[np.ndarray, Blocks]:
            theta = np.zeros((data.n_tasks, data.n_coefs))
            theta[:, : D.shape[1]] = self.A @ D
            s = v * data.design.predict(theta)
            force = small.data.design.adjoint(s)
            force[:, :k] += self.gradient @ D.T
            give = arrow.solve(small.structure.adjoint(force, self.blocks))
            back = small.structure.assemble(give)
            s -= v * small.data.design.predict(back)
            H = self.A.T @ data.design.adjoint(s)[:, : D.shape[1]] + B @ D
            return self.across(H - back[:, :k].T @ self.gradient), give

        return product

    @property
    def slope(self) -> np.ndarray:
        """Gradient of the objective in V, heads at their best."""
        B = self.model.on_basis(self.A, self.V)[0]
        return self.across(self.A.T @ self.gradient + B @ self.V)

    def across(self, D: np.ndarray) -> np.ndarray:
        """The part of D that does not merely turn V in itself, where turns change nothing."""
        return D - (D @ self.V.T) @ self.V if self.model.turns else D


def alternate_rows(
    problem: Problem, model: HeadModel, V: np.ndarray, tol: float, max_iter: int
) -> tuple[RowPoint, list[float]]:
    """Steps from V until the violation is ``tol``; the last point, and the objective on the way."""
    at = RowPoint(problem, model, V)
    if not model.turns:
        at = at.balanced()
    history = [at.value]
    progress = Progress(at.value, at.violation, _ROUNDING * abs(at.value))
    for _ in range(max_iter):
        if at.violation <= tol or progress.over:
            break
        found = _search(at, newton_step(at))
        if found is None:
            break
        at = found
        progress.note(at.value, at.violation)
        history.append(at.value)
    return at, history


def newton_step(at: RowPoint) -> np.ndarray:
    """Conjugate gradients on the Newton system, up to the first direction that curves down."""
    r = -at.slope
    solve = _preconditioner(at)
    z = at.across(solve(r))
    direction, rz, step = z, float((r * z).sum()), np.zeros_like(r)
    share = min(0.1, at.violation**0.5)
    end = share**2 * rz
    for turn in range(_CG_STEPS):
        H, _ = at.curvature(direction)
        along = float((direction * H).sum())
        if along <= 0:
            return direction if turn == 0 else step
        step = step + (rz / along) * direction
        r = r - (rz / along) * H
        z = at.across(solve(r))
        rz, before = float((r * z).sum()), rz
        if rz <= end:
            break
        direction = z + (rz / before) * direction
    return step


def _search(at: RowPoint, step: np.ndarray) -> RowPoint | None:
    """The first of the steps 1, 1/2, 1/4, ... that falls enough; None where none does."""
    slope = float((at.slope * step).sum())
    for size in 0.5 ** np.arange(_HALVINGS):
        trial = at.moved(step, float(size))
        if trial.value <= at.value + 1e-4 * size * slope + _ROUNDING * abs(at.value):
            return trial
    return None


def _preconditioner(at: RowPoint) -> Callable[[np.ndarray], np.ndarray]:
    """The inverse of A'A ⊗ M + B ⊗ I, M the tasks' mean curvature: exact where all are alike."""
    values, vectors = _mean_curvature(at.problem)
    AA, B = at.A.T @ at.A, at.model.on_basis(at.A, at.V)[0]
    floor = 1e-8 * max(float(np.trace(AA)), 1e-300) / max(len(AA), 1)
    beta, T = linalg.eigh(B, AA + floor * np.eye(len(AA)))  # T'AA T = I, T'B T = diag(beta)
    scale = np.maximum(beta, 0.0)[:, None] + values
    scale = np.maximum(scale, 1e-10 * scale.max(initial=1e-300))

    def solve(r: np.ndarray) -> np.ndarray:
        rotated = T.T @ r
        if vectors is None:
            return T @ (rotated / scale)
        return T @ ((rotated @ vectors / scale) @ vectors.T)

    return solve


def _mean_curvature(problem: Problem) -> tuple[np.ndarray, np.ndarray | None]:
    """Eigenvalues and vectors of the mean over tasks of the slopes' curvature, levels taken out.

    At the loss's curvature without features, and kept for as long as the data live.
    """
    return kept(problem.data, ("average task", problem.loss), lambda: _bound(problem))


def _bound(problem: Problem) -> tuple[np.ndarray, np.ndarray | None]:
    values, vectors = _eigen(problem.data)
    values = problem.loss.null_curvature(problem.data.y, problem.data.weight) * values
    return np.maximum(values, 1e-12 * max(values.max(initial=0.0), 1e-300)), vectors


def _eigen(data: TaskData) -> tuple[np.ndarray, np.ndarray | None]:
    d = data.n_features
    if d > _DENSE_UP_TO:
        return (data.design.column_norms(data.weight)[:, :d] ** 2).mean(axis=0), None
    return symmetric_eigen(slope_gram(data))


def slope_gram(data: TaskData) -> np.ndarray:
    """Mean over tasks of the slopes' Gram matrices (d, d), about the tasks' means."""
    d, omega = data.n_features, data.weight
    M = data.total_gram[:d, :d]
    if data.intercept:
        mass = np.maximum(np.bincount(data.code, omega, minlength=data.n_tasks), 1e-300)
        level = data.design.adjoint(omega * data.design.last_column())[:, :d]
        M = M - (level / mass[:, None]).T @ level
    mean: np.ndarray = M / data.n_tasks
    return mean


def _orthonormal(V: np.ndarray) -> np.ndarray:
    """The nearest orthonormal rows."""
    U, _, Wt = np.linalg.svd(V, full_matrices=False)
    return U @ Wt
