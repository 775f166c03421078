"""Newton's method on the block-arrow Hessian; one exact step where the loss is quadratic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.solvers.base import Solution, Status
from polytask.solvers.orthogonal import solve_orthogonal, too_large
from polytask.structures import Blocks

__all__ = ["BlockElimination", "Newton", "descend"]

_TRUSTED = 1e-10  # violation above which the Gram matrices are suspected to have lost digits
_CORRECTED = 1e-12  # violation at which a closed form needs no more correction
_NOTHING = 1e-10  # change of predictions, relative to its terms, that is rounding
_FLAT = 1e-30  # least curvature: where a loss is saturated, a step would leave the numbers


class BlockElimination:
    """Squared loss with quadratic penalties: the exact elimination, no iteration.

    The step from zero solves the normal equations. Its KKT violation is then measured with
    residuals computed from the rows; where the Gram matrices lost digits, the same factorization
    corrects the answer (iterative refinement), and where too few are left for that, orthogonal
    transformations of the rows replace it.
    """

    name = "block elimination"
    refinements = 6

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the closed form does not apply."""
        if not problem.loss.is_quadratic:
            return "needs a loss of constant curvature"
        return why_not_arrow(problem)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Solve exactly; ``start`` and ``max_iter`` are not used."""
        blocks, f = problem.zeros(), np.zeros(len(problem.data.y))
        factor = arrow_problem(problem).factor_squares()
        residual, violation, steps = problem.residual(blocks, f), np.inf, 0
        while steps < self.refinements and (steps == 0 or violation > min(tol, _CORRECTED)):
            trial = _add(blocks, factor.solve(residual), -1.0)
            trial_f = problem.predict(trial)
            trial_residual = problem.residual(trial, trial_f)
            trial_violation = problem.violation(trial, trial_residual)
            if steps > 0 and trial_violation > 0.5 * violation:
                break
            blocks, f, residual, violation = trial, trial_f, trial_residual, trial_violation
            steps += 1
        clear = not factor.singular and _without_effect(problem, factor.null)
        slow = steps == self.refinements and violation > _CORRECTED
        if not clear or slow or not violation <= _TRUSTED:
            blocks, violation = _better(problem, blocks, violation)
            f = problem.predict(blocks)
        status = Status.SOLVED if violation <= tol else Status.STALLED
        return _solution(problem, blocks, f, violation, status, self.name, steps)


class Newton:
    """Smooth loss with quadratic penalties: Newton steps with a line search.

    Each step solves the block-arrow system at the current curvatures; the step is halved until
    the objective falls by at least 1e-4 of what the slope promises (Armijo).
    """

    name = "newton"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply."""
        return why_not_arrow(problem)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the violation is below ``tol``."""
        arrow = arrow_problem(problem)

        def step(residual: Blocks, curvature: np.ndarray, _: float) -> tuple[Blocks, int]:
            return arrow.factor(np.maximum(curvature, _FLAT)).solve(residual), 1

        return descend(problem, start, tol, max_iter, step, self.name)


Step = Callable[[Blocks, np.ndarray, float], tuple[Blocks, int]]


def descend(
    problem: Problem, start: Blocks | None, tol: float, max_iter: int, step: Step, name: str
) -> Solution:
    """Newton steps with a line search, until the violation is below ``tol``.

    ``step(residual, curvature, violation)`` solves the Newton system, exactly or not, and says how
    much work that was (0: it found no step); `n_iter` of the solution is the sum of it.
    """
    data, loss = problem.data, problem.loss
    blocks = problem.zeros() if start is None else start
    f = problem.predict(blocks)
    value = problem.objective(blocks, f)
    status, work = Status.MAX_ITER, 0
    for n_iter in range(max_iter + 1):
        residual = problem.residual(blocks, f)
        violation = problem.violation(blocks, residual)
        if violation <= tol:
            status = Status.SOLVED
            break
        if n_iter == max_iter:
            break
        direction, used = step(residual, loss.curvature(data.y, f), violation)
        found = _line_search(problem, blocks, f, value, direction, residual) if used else None
        if found is None:
            status = Status.STALLED
            break
        blocks, f, value = found
        work += used
    return _solution(problem, blocks, f, violation, status, name, work)


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
    size = np.where(size > 0, size, size.max(initial=0.0))
    V = np.zeros((data.n_coefs, null.shape[1]))
    V[c[held]] = null[held]
    moved = data.design.squared_images(data.weight, V)
    return bool((moved <= _NOTHING**2 * (size @ null**2)).all())


def _better(problem: Problem, blocks: Blocks, violation: float) -> tuple[Blocks, float]:
    """The blocks, or those found without Gram matrices where they are a clear improvement."""
    if too_large(problem):
        return blocks, violation
    trial = solve_orthogonal(problem)
    trial_violation = problem.violation(trial)
    if problem.objective(trial) < (1.0 - 1e-10) * problem.objective(blocks):
        return trial, trial_violation
    worse = violation <= _TRUSTED or trial_violation > violation
    return (blocks, violation) if worse else (trial, trial_violation)


def _line_search(
    problem: Problem, blocks: Blocks, f: np.ndarray, value: float, step: Blocks, residual: Blocks
) -> tuple[Blocks, np.ndarray, float] | None:
    """The first of the steps 1, 1/2, 1/4, ... that falls enough; None where none does."""
    slope = sum(float((step[b] * residual[b]).sum()) for b in step)
    f_step = problem.predict(step)
    noise = 1e-14 * max(abs(value), 1e-300)
    for size in 0.5 ** np.arange(30):
        trial, f_trial = _add(blocks, step, -size), f - size * f_step
        new = problem.objective(trial, f_trial)
        if new <= value - 1e-4 * size * slope + noise:
            return trial, problem.predict(trial), new
    return None


def _add(blocks: Blocks, step: Blocks, size: float) -> Blocks:
    return {b: B + size * step[b] for b, B in blocks.items()}


def _solution(
    problem: Problem, blocks: Blocks, f: np.ndarray, violation: float, status: Status, name: str,
    n_iter: int,
) -> Solution:  # fmt: skip
    centered = arrow_problem(problem).center(blocks)
    if centered is not blocks:
        blocks, f = centered, problem.predict(centered)
    return Solution(
        blocks=blocks,
        coefs=problem.structure.assemble(blocks),
        objective=problem.objective(blocks, f),
        violation=violation,
        status=status,
        certificate="global",
        solver=name,
        n_iter=n_iter,
    )
