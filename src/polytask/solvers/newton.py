"""Newton's method on the block-arrow Hessian; one exact step where the loss is quadratic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import numpy as np

from polytask.algebra.arrow import ArrowFactor
from polytask.data.oracle import RowsAt
from polytask.problem import ObjectiveAt, Problem
from polytask.solvers.arrow_problem import ARROW, ArrowProblem, arrow_problem, centered, kept_fit
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.descent import Descent, along, moved
from polytask.solvers.facts import ROWS, SQUARES, Need
from polytask.solvers.orthogonal import solve_orthogonal, too_large
from polytask.solvers.row_space import solve_in_rows
from polytask.structures import Blocks

__all__ = ["BlockElimination", "Newton", "descend", "solution_of"]

_TRUSTED = 1e-10  # violation above which the Gram matrices are suspected to have lost digits
_CORRECTED = 1e-12  # violation at which a closed form needs no more correction
_NEAR = 1e-3  # violation below which Newton steps are as long as they should be
_RATE = 3.0  # of twice the square that a Newton step leaves, for safety
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
        if (found := kept_fit(problem)) is not None and (
            (here := problem.at(found)).violation <= min(tol, _CORRECTED)
        ):
            return _solution(problem, here, Status.SOLVED, self.name, 1)
        if (near := solve_in_rows(problem, min(tol, _CORRECTED), _TRUSTED)) is not None:
            status = Status.SOLVED if near[0].violation <= tol else Status.STALLED
            return _solution(problem, near[0], status, self.name, near[1])
        factor = arrow_problem(problem).factor_squares()
        here = nothing = problem.at(problem.zeros())
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

    Each step solves the block-arrow system at the current curvatures, or at those before where
    two such steps reach the end; far from it a step goes on to where the objective is least. It
    is halved until the objective falls by at least 1e-4 of what the slope promises (Armijo).
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
        held = _Held(arrow, tol)

        def step(at: ObjectiveAt, sure: bool) -> tuple[Blocks, int]:
            dear = getattr(at.risk, "curvature_is_dear", False)  # no rows say so, elsewhere
            if not dear or problem.loss.has_kinks:
                return arrow.factor_at(at.risk, sure).solve(at.residual), 1
            found = held.factor(at).solve(at.residual)
            return (_stretched(at, found) if at.violation > _NEAR else found), 1

        return descend(problem, start, tol, max_iter, step)


class _Held:
    """The last factorization, for as long as it serves.

    Where a Newton step from violation u led to v, others at the same curvatures multiply what is
    left by about 2 v / u.
    """

    def __init__(self, arrow: ArrowProblem, tol: float) -> None:
        self.arrow, self.tol = arrow, tol
        self.last: ArrowFactor | None = None
        self.made_at = self.rate = np.inf
        self.uses = 0

    def factor(self, at: ObjectiveAt) -> ArrowFactor:
        """That of a place, or the last one where two of its steps lead to the end."""
        if self.uses == 0:
            self.rate = _RATE * at.violation / self.made_at
        serves = self.rate < 1 and at.violation * self.rate**2 <= self.tol
        if self.last is None or not serves or self.uses == 2:
            self.last = self.arrow.factor_at(at.risk)
            self.made_at, self.uses = at.violation, 0
        else:
            self.uses += 1
        return self.last


def _stretched(at: ObjectiveAt, step: Blocks) -> Blocks:
    """A step as far as the objective falls along it: far from an end Newton steps are short."""
    problem, risk = at.problem, cast(RowsAt, at.risk)
    penalties: Any = problem.penalties
    slope = along({b: penalties[b].gradient(B) for b, B in at.blocks.items()}, step)
    bend = along({b: penalties[b].diagonal(B) * B for b, B in step.items()}, step)
    size = risk.least_along(problem.structure.assemble(step), slope, bend)
    return {b: size * B for b, B in step.items()}


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
    size[size == 0] = 1.0  # beside a column of zeros others have rounding
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
