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

from polytask.algebra.curvature import narrow
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.factored.by_grams import solve_by_grams
from polytask.solvers.factored.run import Run
from polytask.solvers.factored.squares import GramModel
from polytask.solvers.factored.start import start_point
from polytask.solvers.norms.admm import AdmmInner
from polytask.solvers.norms.fista import fista
from polytask.solvers.norms.squares import Squares
from polytask.solvers.norms.trace_norm import solve_trace, why_not_trace, zero_solution
from polytask.structures import Blocks

__all__ = ["FactoredNewton"]


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
        if problem.loss.is_quadratic and zero_solution(problem, tol, self.name) is None:
            found = solve_by_grams(problem, start, tol, max_iter, self.name)
            if found is not None:
                return found
        return solve_trace(problem, FactoredInner(), self.name, start, tol, max_iter)


class FactoredInner:
    """Newton steps for squares, and a proximal method where they are no saving.

    That is at high rank with even features. With one Gram matrix for all tasks an iteration of
    accelerated gradient costs next to nothing; otherwise tasks are not as even as their average,
    and splitting, which solves each task's system, needs a fraction of the iterations.
    """

    def __init__(self) -> None:
        self.admm = AdmmInner()

    def __call__(
        self, F: Squares, alpha: float, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Minimize F(L) + alpha ‖L‖_* until the gap is at most ``tol``: L, iterations."""
        if not (F.curvature.products or F.data.design.sparse):
            return fista(F, alpha, start, tol, max_iter)
        model = GramModel(F)
        at = start_point(model, alpha, start)
        if at is None:
            proximal = fista if F.curvature.grams is None else self.admm
            return proximal(F, alpha, start, tol, max_iter)
        run = Run(model, alpha, F.value_at_zero, at, max_iter)
        L = run.to(tol).L
        if not run.stalled:
            return L, run.n_iter
        L, more = self.admm(F, alpha, L, tol, max_iter - run.n_iter)
        return L, run.n_iter + more
