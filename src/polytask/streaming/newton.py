"""Newton's method when the rows are somewhere else: a pass over them for every step.

It is `polytask.solvers.Newton` with the sums of each pass in the place of rows: the same steps,
line search and stopping rule, hence the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import cast

import numpy as np

from polytask.algebra.arrow import factor_grams
from polytask.data import TaskData
from polytask.data.design import Design
from polytask.problem import Problem
from polytask.solvers import Solution, Status
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.sources.newton_job import LossSums
from polytask.structures import Blocks, CommonDeviation

__all__ = ["Steps", "newton_steps", "shell", "solve_by_passes"]

Pass = Callable[[np.ndarray], LossSums]
Steps = Generator[np.ndarray, LossSums, Solution]


def shell(tasks: np.ndarray, share: np.ndarray, n_coefs: int, intercept: bool) -> TaskData:
    """TaskData without rows: it knows its tasks, their shares, and how many coefficients."""
    design = Design(np.zeros((0, n_coefs)), None, np.arange(len(tasks) + 1) * n_coefs)
    none = np.zeros(0)
    return TaskData(design, none, none, share, tasks, intercept, none.astype(int))


@dataclass(frozen=True, eq=False)
class _Point:
    """A point, and what a pass found there (weighted as in R)."""

    problem: Problem
    blocks: Blocks
    sums: LossSums

    @property
    def objective(self) -> float:
        penalties = self.problem.penalties
        risk = float(self.sums.value.sum())
        return risk + sum(penalties[b].value(B) for b, B in self.blocks.items())

    @property
    def residual(self) -> Blocks:
        """Gradient in every block."""
        G = self.problem.structure.adjoint(self.sums.gradient, self.blocks)
        return {b: self.problem.penalties[b].residual(B, G[b]) for b, B in self.blocks.items()}

    def step(self, residual: Blocks) -> Blocks:
        """The Newton step: the arrow system at this curvature."""
        arrow = arrow_problem(self.problem)
        structure = cast(CommonDeviation, self.problem.structure)
        grams = self.sums.gram
        return factor_grams(grams, structure, arrow.G, arrow.D).solve(residual)


def solve_by_passes(
    problem: Problem, look: Pass, tol: float, max_iter: int, start: Blocks | None = None
) -> Solution:
    """Minimize a problem whose data are a `shell`.

    Parameters
    ----------
    problem, tol, max_iter, start
        As in `newton_steps`.
    look : callable
        Sums of the loss at Theta (m, p), weighted as in R: one pass over the rows.
    """
    steps = newton_steps(problem, tol, max_iter, start)
    try:
        theta = next(steps)
        while True:
            theta = steps.send(look(theta))
    except StopIteration as done:
        found: Solution = done.value
        return found


def newton_steps(problem: Problem, tol: float, max_iter: int, start: Blocks | None = None) -> Steps:
    """Newton's method as a generator: it yields Theta (m, p), and is sent the sums there.

    So several problems can share the passes over their rows.

    Parameters
    ----------
    problem : Problem
        With quadratic penalties.
    tol, max_iter
        As in `polytask.solvers.Newton`.
    start : dict or None
        Blocks to start from, other than zero.

    Raises
    ------
    ValueError
        If the Hessian of the problem is no block arrow.
    """
    reason = why_not_arrow(problem)
    if reason is not None:
        raise ValueError(f"fit_parquet: the formulation must have quadratic penalties; {reason}.")
    zero = problem.zeros()
    here = yield from _look(problem, zero)
    scale = _scale(problem, here)
    if start is not None:
        here = yield from _look(problem, start)
    status, n_iter = Status.MAX_ITER, 0
    for n_iter in range(max_iter + 1):
        residual = here.residual
        violation = _violation(residual, scale)
        if violation <= tol:
            status = Status.SOLVED
            break
        if n_iter == max_iter:
            break
        found = yield from _line_search(here, residual)
        if found is None:
            status = Status.STALLED
            break
        here = found
    return Solution(
        here.blocks, problem.structure.assemble(here.blocks), here.objective, violation, status,
        "global", "newton by passes", n_iter,
    )  # fmt: skip


def _look(problem: Problem, blocks: Blocks) -> Generator[np.ndarray, LossSums, _Point]:
    sums = yield problem.structure.assemble(blocks)
    return _Point(problem, blocks, sums)


def _line_search(here: _Point, residual: Blocks) -> Generator[np.ndarray, LossSums, _Point | None]:
    """The first of the steps 1, 1/2, 1/4, ... that falls enough; None where none does."""
    step, value = here.step(residual), here.objective
    slope = sum(float((step[b] * residual[b]).sum()) for b in step)
    noise = 1e-14 * max(abs(value), 1e-300)
    for size in 0.5 ** np.arange(20):
        blocks = {b: B - size * step[b] for b, B in here.blocks.items()}
        trial = yield from _look(here.problem, blocks)
        if trial.objective <= value - 1e-4 * size * slope + noise:
            return trial
    return None


def _scale(problem: Problem, zero: _Point) -> Blocks:
    """`Problem.gradient_bound` in each block, from the sums at Theta = 0.

    At zero a loss has one curvature, whatever the target, so that its Hessian holds sum x².
    """
    loss, none = problem.loss, np.zeros(1)
    curvature = float(loss.curvature(none, none)[0])
    squares = np.einsum("mpp->mp", zero.sums.gram) / curvature
    bound = np.sqrt(np.maximum(squares, 0.0)) * np.sqrt(zero.sums.slope)[:, None]
    floor = max(1e-15 * bound.max(initial=0.0), np.finfo(float).tiny)
    return problem.structure.adjoint(np.maximum(bound, floor), zero.blocks)


def _violation(residual: Blocks, scale: Blocks) -> float:
    shares = [np.abs(R) / np.abs(scale[b]) for b, R in residual.items() if R.size]
    return max((float(share.max()) for share in shares), default=0.0)
