"""Conjugate gradients for quadratic penalties on a common part and deviations: products only.

A Hessian product reads the rows twice and forms no matrix, so that text (50,000 words, a hundred
in a row) costs what its nonzeros cost. The preconditioner solves the block-arrow system of the
Hessian's diagonals exactly, coefficient by coefficient: it is the inverse where the features of a
task are uncorrelated, and it knows how w0 and the Δw_i share a coefficient.
"""

from __future__ import annotations

import numpy as np

from polytask.problem import ObjectiveAt, Problem
from polytask.solvers.arrow_problem import ArrowProblem, arrow_problem, why_not_arrow
from polytask.solvers.base import Solution
from polytask.solvers.cost import products_pay
from polytask.solvers.newton import descend, solution_of
from polytask.structures import Blocks

__all__ = ["ConjugateGradients"]

_STEPS = 2_000  # products in one linear system at most
_FORCING = 0.1  # share of the residual that a Newton step far from the optimum leaves


class ConjugateGradients:
    """Any smooth loss: (inexact) Newton steps, each by preconditioned conjugate gradients.

    Stops by the KKT violation at the returned point, from the rows. Where the optimum is not
    unique the answer is the one nearest to the start in the preconditioner's metric.
    """

    name = "conjugate gradients"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply, or would be the slower one."""
        reason = why_not_arrow(problem)
        if reason is None and not products_pay(arrow_problem(problem)):
            return "is the slower method where matrices of coefficients or rows are small"
        return reason

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the violation is below ``tol``; ``max_iter`` limits the Newton steps."""
        arrow, loss = arrow_problem(problem), problem.loss
        scale = problem.structure.adjoint(problem.gradient_bound, problem.zeros())

        def step(at: ObjectiveAt) -> tuple[Blocks, int]:
            goal = 0.5 * tol if loss.is_quadratic else _goal(at.violation, tol)
            v = problem.data.weight * at.risk.curvature
            return _System(arrow, v).solve(at.residual, scale, goal)

        descent = descend(problem, start, tol, max_iter, step).run(problem.at)
        return solution_of(problem, descent, self.name)


def _goal(violation: float, tol: float) -> float:
    """Violation of the linear model at which a Newton step is good enough: superlinear."""
    return max(0.5 * tol, violation * min(_FORCING, float(np.sqrt(violation))))


class _System:
    """The Hessian at curvatures v (N,), and its preconditioner."""

    def __init__(self, arrow: ArrowProblem, v: np.ndarray) -> None:
        self.problem, self.v = arrow.problem, v
        self.G, self.D = arrow.G, arrow.D
        self.precondition = _DiagonalArrow(arrow, v)

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
        design, structure = self.problem.data.design, self.problem.structure
        image = design.adjoint(self.v * design.predict(structure.assemble(blocks)))
        H = structure.adjoint(image, blocks)
        return {
            "common": H["common"] + self.G * blocks["common"],
            "deviation": H["deviation"] + self.D * blocks["deviation"],
        }


class _DiagonalArrow:
    """The inverse of the Hessian's diagonals: a small arrow for each coefficient.

    With s_i the curvature of a coefficient in task i, eliminating the tasks leaves
    G + sum_i s_i D / (s_i + D) for its common part.
    """

    def __init__(self, arrow: ArrowProblem, v: np.ndarray) -> None:
        structure = arrow.structure
        s = arrow.problem.data.design.column_norms(v) ** 2
        own = s[:, structure.deviation]
        whole = own + arrow.D
        self.inverse = np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)
        self.share = own * self.inverse
        both = structure.common & structure.deviation
        self.c = _positions(both[structure.common])
        self.k = _positions(both[structure.deviation])
        schur = arrow.G + s[:, structure.common].sum(axis=0)
        left = (own * self.inverse * arrow.D).sum(axis=0)
        schur[self.c] = arrow.G[self.c] + left[self.k]
        self.schur = np.divide(1.0, schur, out=np.zeros_like(schur), where=schur > 0)

    def __call__(self, r: Blocks) -> Blocks:
        reduced = r["common"].copy()
        reduced[self.c] -= np.einsum("mk,mk->k", self.share[:, self.k], r["deviation"][:, self.k])
        common = self.schur * reduced
        deviation = self.inverse * r["deviation"]
        deviation[:, self.k] -= self.share[:, self.k] * common[self.c]
        return {"common": common, "deviation": deviation}


def _positions(mask: np.ndarray) -> slice | np.ndarray:
    """Where the mask is true; a slice, which copies nothing, where that is everywhere."""
    return slice(None) if mask.all() else np.flatnonzero(mask)


def _dot(a: Blocks, b: Blocks) -> float:
    return sum(float(np.vdot(a[name], b[name])) for name in a)


def _largest_share(r: Blocks, scale: Blocks) -> float:
    return max(float((np.abs(r[b]) / scale[b]).max(initial=0.0)) for b in r)
