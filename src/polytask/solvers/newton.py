"""Newton's method on the block-arrow Hessian; one exact step where the loss is quadratic."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from polytask.problem import ObjectiveAt, Problem
from polytask.solvers.arrow_problem import ARROW, arrow_problem, centered
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.descent import Descent, moved
from polytask.solvers.facts import ROWS, SQUARES, Need
from polytask.solvers.orthogonal import solve_orthogonal, too_large
from polytask.structures import Blocks

__all__ = ["BlockElimination", "Newton", "descend", "solution_of"]

_TRUSTED = 1e-10  # violation above which the Gram matrices are suspected to have lost digits
_CORRECTED = 1e-12  # violation at which a closed form needs no more correction
_ALIKE = 1e-6  # of the objective, by which two roads to an optimum may differ
_NOTHING = 1e-13  # change of predictions, relative to its terms, that is rounding


class BlockElimination(Solver):
    """Squared loss with quadratic penalties: the exact elimination, no iteration.

    The step from zero solves the normal equations. Its KKT violation is then measured with
    residuals computed from the rows; where the Gram matrices lost digits, the same factorization
    corrects the answer (iterative refinement), and where too few are left for that, orthogonal
    transformations of the rows replace it.
    """

    name: ClassVar[str] = "block elimination"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SQUARES, *ARROW)
    refinements = 6

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Solve exactly; ``start`` and ``max_iter`` are not used."""
        here = nothing = problem.at(problem.zeros())
        factor = arrow_problem(problem).factor_squares()
        steps = 0
        while steps < self.refinements and (steps == 0 or here.violation > min(tol, _CORRECTED)):
            trial = problem.at(moved(here.blocks, factor.solve(here.residual), -1.0))
            if steps > 0 and trial.violation > 0.5 * here.violation:
                break
            here, steps = trial, steps + 1
        clear = not factor.singular and _without_effect(problem, factor.null)
        slow = steps == self.refinements and here.violation > _CORRECTED
        known = True
        if not clear or slow or not here.violation <= _TRUSTED:
            here, known = _better(problem, here, nothing.value)
        status = Status.SOLVED if here.violation <= tol and known else Status.STALLED
        return _solution(problem, here, status, self.name, steps)


class Newton(Solver):
    """Smooth loss with quadratic penalties: Newton steps with a line search.

    Each step solves the block-arrow system at the current curvatures; the step is halved until
    the objective falls by at least 1e-4 of what the slope promises (Armijo).
    """

    name: ClassVar[str] = "newton"
    needs: ClassVar[tuple[Need, ...]] = ARROW

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the violation is below ``tol``."""
        descent = self.descent(problem, start, tol, max_iter).run(problem.at)
        return solution_of(problem, descent, self.name)

    def descent(
        self, problem: Problem, start: Blocks | None, tol: float, max_iter: int
    ) -> Descent[ObjectiveAt]:
        """The search, for those who answer several at once."""
        arrow = arrow_problem(problem)

        def step(at: ObjectiveAt, sure: bool) -> tuple[Blocks, int]:
            return arrow.factor_at(at.risk, sure).solve(at.residual), 1

        return descend(problem, start, tol, max_iter, step)


Step = Callable[[ObjectiveAt, bool], tuple[Blocks, int]]


def descend(
    problem: Problem, start: Blocks | None, tol: float, max_iter: int, step: Step
) -> Descent[ObjectiveAt]:
    """Newton steps with a line search, until the violation is below ``tol``.

    ``step(at, sure)`` solves the Newton system, exactly or not, and says how much work that was (0:
    it found no step). A ``sure`` step is that of parabolas above the loss. Over a kink a Newton
    step may lead anywhere: it is taken whole, or a sure one instead.
    """
    begin = problem.start() if start is None else start
    sure = (lambda at: step(at, True)) if problem.loss.has_kinks else None
    return Descent(
        begin, lambda at: step(at, False), lambda at: at.violation <= tol, max_iter, sure=sure
    )


def solution_of(problem: Problem, descent: Descent[ObjectiveAt], name: str) -> Solution:
    """What a descent found."""
    return _solution(problem, descent.here, descent.status, name, descent.work)


def _without_effect(problem: Problem, null: np.ndarray) -> bool:
    """Whether moving the common part along any column of ``null`` (c, j) moves no prediction.

    Free deviations make up for such a move in their own coefficients. Directions that change
    predictions by little, instead of by nothing, are those that Gram matrices lost.
    """
    arrow, data = arrow_problem(problem), problem.data
    c, k = np.flatnonzero(arrow.structure.common), np.flatnonzero(arrow.structure.deviation)
    if not null.size:
        return True
    held = ~np.isin(c, k[arrow.D == 0])
    size = (data.column_norms**2).sum(axis=0)[c]
    V = np.zeros((data.n_coefs, null.shape[1]))
    V[c[held]] = null[held]
    moved = data.design.squared_images(data.weight, V)
    return bool((moved <= _NOTHING**2 * (size @ null**2)).all())


def _better(problem: Problem, here: ObjectiveAt, zero: float) -> tuple[ObjectiveAt, bool]:
    """The blocks, or those found without Gram matrices where they are a clear improvement.

    And whether the optimum is known: where the other road ends much higher, the rows have lost
    digits, and what a violation says of directions that Gram matrices lost is nothing.
    """
    if too_large(problem):
        return here, True
    trial = problem.at(solve_orthogonal(problem))
    if trial.value < (1.0 - 1e-10) * here.value:
        return trial, True
    worse = here.violation <= _TRUSTED or trial.violation > here.violation
    known = trial.value <= (1.0 + _ALIKE) * here.value + _TRUSTED * zero
    return here if worse else trial, bool(known)


def _solution(
    problem: Problem, here: ObjectiveAt, status: Status, name: str, n_iter: int
) -> Solution:
    center = centered(problem, here.blocks)
    at = here if center is here.blocks else problem.at(center)
    return Solution(
        blocks=at.blocks,
        coefs=at.theta,
        objective=at.value,
        violation=here.violation,
        status=status,
        certificate="global",
        solver=name,
        n_iter=n_iter,
    )
