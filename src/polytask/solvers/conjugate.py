"""Newton steps by conjugate gradients, for any quadratic penalty: products only.

A Hessian product reads the rows twice and forms no matrix, so that text (50,000 words, a hundred
in a row) costs what its nonzeros cost. The preconditioner is what the penalties allow: the exact
inverse of a diagonal arrow, of a Kronecker sum, or of the diagonal.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from polytask.algebra.curvature import Curvature, RowProducts, TaskGrams, make_curvature
from polytask.data import RiskAt
from polytask.problem import ObjectiveAt, Problem
from polytask.solvers.arrow_problem import ARROW, arrow_problem, why_not_arrow
from polytask.solvers.base import Solution, Solver
from polytask.solvers.cost import products_pay
from polytask.solvers.facts import LINEAR, QUADRATICS, ROWS, Need, quadratics_of
from polytask.solvers.newton import descend, solution_of
from polytask.solvers.preconditioners import make_preconditioner
from polytask.structures import Blocks

__all__ = ["ConjugateGradients", "NewtonCG"]

_STEPS = 2_000  # products in one linear system at most
_FORCING = 0.1  # share of the residual that a Newton step far from the optimum leaves


class NewtonCG(Solver):
    """Any smooth loss: (inexact) Newton steps, each by preconditioned conjugate gradients.

    Stops by the KKT violation at the returned point, from the rows. Where the optimum is not
    unique the answer is the one nearest to the start in the preconditioner's metric.
    """

    name: ClassVar[str] = "newton-cg"
    needs: ClassVar[tuple[Need, ...]] = (LINEAR, QUADRATICS)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the violation is below ``tol``; ``max_iter`` limits the Newton steps."""
        scale = problem.structure.adjoint(problem.gradient_bound, problem.zeros())

        def step(at: ObjectiveAt, sure: bool) -> tuple[Blocks, int]:
            goal = 0.5 * tol if problem.loss.is_quadratic else _goal(at.violation, tol)
            return _System(problem, at.risk, sure).solve(at.residual, scale, goal)

        descent = descend(problem, start, tol, max_iter, step).run(problem.at)
        return solution_of(problem, descent, self.name)


class ConjugateGradients(NewtonCG):
    """The same for arrows, where factorizations would be too large or slower than products."""

    name: ClassVar[str] = "conjugate gradients"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, *ARROW)

    def slower(self, problem: Problem) -> bool:
        """Where matrices of coefficients or rows are small."""
        return not products_pay(arrow_problem(problem))


def _goal(violation: float, tol: float) -> float:
    """Violation of the linear model at which a Newton step is good enough: superlinear."""
    return max(0.5 * tol, violation * min(_FORCING, float(np.sqrt(violation))))


class _System:
    """The Hessian at a point, and its preconditioner."""

    def __init__(self, problem: Problem, risk: RiskAt, above: bool) -> None:
        self.problem, self.penalties = problem, quadratics_of(problem)
        self.hessian = _hessian(problem, risk, above)
        self.precondition = make_preconditioner(problem, self.hessian)

    def solve(self, rhs: Blocks, scale: Blocks, goal: float) -> tuple[Blocks, int]:
        """Step with H step = rhs, to residuals of at most ``goal`` times ``scale``; products."""
        step = {b: np.zeros_like(R) for b, R in rhs.items()}
        r = {b: R.copy() for b, R in rhs.items()}
        direction = z = self.precondition(r)
        rz, used = _dot(r, z), 0
        while used < _STEPS and rz > 0:
            H = self._product(direction)
            along = _dot(direction, H)
            if not along > 0:
                break
            used += 1
            size = rz / along
            for b in step:
                step[b] += size * direction[b]
                r[b] -= size * H[b]
            if _largest_share(r, scale) <= goal:
                break
            z = self.precondition(r)
            rz, before = _dot(r, z), rz
            direction = {b: z[b] + (rz / before) * direction[b] for b in z}
        return step, used

    def _product(self, blocks: Blocks) -> Blocks:
        structure = self.problem.structure
        H = structure.adjoint(self.hessian.apply(structure.assemble(blocks)), blocks)
        return {b: H[b] + self.penalties[b].gradient(B) for b, B in blocks.items()}


def _hessian(problem: Problem, risk: RiskAt, above: bool) -> Curvature:
    """That of R, or of parabolas above it: Gram matrices where they are at hand, or pay."""
    if risk.gram is not None:
        return TaskGrams(risk.gram)
    curvature = risk.majorizer if above else risk.curvature
    assert curvature is not None
    data, v = problem.data, problem.data.weight * curvature
    if data.design.sparse or why_not_arrow(problem) is None:
        return RowProducts(data.design, v)
    return make_curvature(data, v, problem.loss.is_quadratic)


def _dot(a: Blocks, b: Blocks) -> float:
    return sum(float(np.vdot(a[name], b[name])) for name in a)


def _largest_share(r: Blocks, scale: Blocks) -> float:
    return max(float((np.abs(r[b]) / scale[b]).max(initial=0.0)) for b in r)
