"""R + alpha ‖L‖_* over L = B C': Newton's method in the few directions that the optimum needs.

‖L‖_* is the least ½‖B‖² + ½‖C‖² over L = B C' (Rennie and Srebro 2005), so that the tasks' parts,
heads B and rest, are separate given the directions C (d, k) and are eliminated exactly. Newton
steps in C by conjugate gradients need no d × d matrix, one product with the data each, and not the
many iterations that a proximal method spends on ill-conditioned features. What is global about the
convex problem is asked of the gradient at L: directions across L whose singular value is above
alpha join, directions that fade leave, and the duality gap decides.
"""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import singular_above, soft_threshold, spectral_norm
from polytask.problem import Problem
from polytask.solvers.admm import AdmmInner
from polytask.solvers.base import Solution
from polytask.solvers.curvature import narrow
from polytask.solvers.factored_squares import GramModel, GramPoint
from polytask.solvers.fista import fista
from polytask.solvers.squares import Squares
from polytask.solvers.trace_norm import solve_trace, why_not_trace
from polytask.solvers.truncated_newton import newton_direction
from polytask.structures import Blocks

__all__ = ["FactoredNewton"]

_STEPS = 60  # Newton steps at most
_SMALL = 1e-4  # of the largest singular value: a direction this weak leaves, and may come back
_FAR = 3e-3  # gap, of the objective at L = 0, above which the convex part of the curvature serves
_HALVINGS = 14
_EVEN = 30.0  # condition of the average task up to which, at high rank, a proximal method is faster
_START_STEPS = 15  # proximal steps on the average task, for a first L


class FactoredNewton:
    """Trace norm by Newton steps in L = B C', for any loss that is twice differentiable."""

    name = "factored-newton"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply, or would be the slower one."""
        reason = why_not_trace(problem)
        if reason is None and not (narrow(problem.data) or problem.data.design.sparse):
            return "is the slower method where tasks have fewer rows than half their features"
        return reason

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Steps until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_trace(problem, factored_squares, self.name, start, tol, max_iter)


def factored_squares(
    F: Squares, alpha: float, start: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, int]:
    """Minimize F(L) + alpha ‖L‖_* until the gap is at most ``tol``.

    F has Gram matrices or sparse rows; otherwise, and at high rank with even features, a proximal
    method is faster.
    """
    if not (F.curvature.products or F.data.design.sparse):
        return fista(F, alpha, start, tol, max_iter)
    model = GramModel(F)
    B, C = _factors(start) if start.any() else first_directions(model, alpha)
    if (
        model.turn is not None
        and 2 * C.shape[1] > min(start.shape)
        and model.values[-1] < _EVEN * model.values[0]
    ):
        return fista(F, alpha, start if start.any() else B @ C.T, tol, max_iter)
    run = _Run(model, alpha, F.value_at_zero, model.start(start, B, C, alpha), max_iter)
    run.to(tol)
    L = run.at.B @ run.at.C.T
    if not run.stalled:
        return L, run.n_iter
    L, more = AdmmInner()(F, alpha, L, tol, max_iter - run.n_iter)
    return L, run.n_iter + more


def _even(model: GramModel) -> bool:
    """Whether the average task is well conditioned; of sparse rows too little is known."""
    return model.turn is not None and bool(model.values[-1] < _EVEN * model.values[0])


class _Run:
    """Newton steps, with directions that join and leave."""

    def __init__(
        self, model: GramModel, alpha: float, scale: float, at: GramPoint, max_iter: int
    ) -> None:
        self.model, self.alpha, self.scale, self.at = model, alpha, scale, at
        self.left, self.n_iter, self.stalled = min(_STEPS, max_iter), 0, False
        self.weak, self.let_go = _SMALL, False

    def to(self, tol: float) -> None:
        """Step until the gap, by what is at hand, is ``tol``."""
        while True:
            U, s, V = _balanced(self.at.B, self.at.C, self.weak)
            g = self.at.gradient()
            gap = self.at.gap(g, float(s.sum()), spectral_norm(g))
            if gap <= tol or self.stalled:
                return
            if self.left == 0:
                self.stalled = True
                return
            self._exchange(U, s, V, g)
            self._step(far=gap > _FAR * self.scale)

    def _exchange(self, U: np.ndarray, s: np.ndarray, V: np.ndarray, g: np.ndarray) -> None:
        """Let weak directions go and missing ones join, each at the length a Newton step gives."""
        across = g - U @ (U.T @ g)
        across -= (across @ V) @ V.T
        u, values, v = singular_above(across, self.alpha * (1 + 1e-9))
        if len(values) == 0 and len(s) == self.at.C.shape[1]:
            return
        if len(values) and self.let_go:  # what left comes back: it was not as weak as it looked
            self.weak *= 0.1
        self.let_go = len(s) < self.at.C.shape[1]
        new = (values - self.alpha) / np.maximum(self.model.curvature_along(v), 1e-300)
        root = np.sqrt(np.append(s, new))
        self.at = self.at.with_directions(np.hstack([U, -u]) * root, np.hstack([V, v]) * root)

    def _step(self, far: bool) -> None:
        direction = newton_direction(self.at, self.model, self.alpha, convex=far)
        self.left -= 1
        self.n_iter += 1
        floor = self.at.value + 1e-13 * abs(self.scale)
        for size in 0.5 ** np.arange(_HALVINGS):
            trial = self.at.moved(direction, float(size))
            if trial.value <= floor:
                self.at = trial
                return
        self.stalled = True


def first_directions(model: GramModel, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """B and C of the optimum with every task's curvature replaced by the average task's.

    A problem of size min(m, d) × d, whatever the number of rows: in the basis of the gradient's
    left singular vectors nothing else changes.
    """
    square = model.gradient_at_zero
    turn = None
    if square.shape[0] > square.shape[1]:
        turn, square = np.linalg.qr(square)
    L = np.zeros_like(square)
    point, t = L, 1.0
    top = max(float(model.values.max()), 1e-300)
    for _ in range(_START_STEPS):
        new = soft_threshold(point - (square + model.average(point)) / top, alpha / top).matrix
        t_next = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
        point = new + (t - 1.0) / t_next * (new - L)
        L, t = new, t_next
    B, C = _factors(L)
    return (B if turn is None else turn @ B), C


def _factors(L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    U, s, V = singular_above(L, 0.0)
    keep = s > _SMALL * s.max(initial=0.0)
    root = np.sqrt(s[keep])
    return U[:, keep] * root, V[:, keep] * root


def _balanced(
    B: np.ndarray, C: np.ndarray, weak: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, s, V of B C' without the directions that have faded."""
    QB, RB = np.linalg.qr(B)
    QC, RC = np.linalg.qr(C)
    U, s, Vt = np.linalg.svd(RB @ RC.T)
    keep = s > weak * s.max(initial=0.0)
    return QB @ U[:, keep], s[keep], QC @ Vt[keep].T
