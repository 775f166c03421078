"""K-fold risk of squared-loss problems from moments that were kept by fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.data import MomentData, TaskData
from polytask.problem import Problem
from polytask.solvers import select
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.structures import Blocks

__all__ = ["MomentRisk"]


class MomentRisk:
    """Held-out squared risk over folds, exact: no row is needed to evaluate ½(y - x'w)².

    Parameters
    ----------
    data : MomentData
        Of moments with two folds or more.
    tol, max_iter : float, int
        For problems that have no closed form.
    """

    def __init__(self, data: MomentData, tol: float, max_iter: int) -> None:
        self.tol, self.max_iter = tol, max_iter
        self.parts = list(data.parts())
        self._grams = [train.design.grams(train.weight) for train, _ in self.parts]
        self._slopes = [-train.design.adjoint(train.weight * train.y) for train, _ in self.parts]
        counts = data.moments.sums[:, :, 0, 0]
        share = data.share / np.maximum(counts.sum(axis=1), 1e-300)
        known = counts.sum(axis=1, keepdims=True) > counts  # predicted by other folds
        self._starts: list[Blocks | None] = [None] * len(self.parts)
        self._weight = float((share[:, None] * np.where(known, counts, 0.0)).sum())

    def __call__(self, make: Callable[[TaskData], Problem]) -> float:
        """Mean held-out loss with the weights of R; infinite where every task has a single row."""
        if not self.parts:
            return np.inf
        total = 0.0
        for k, (train, test) in enumerate(self.parts):
            problem = make(train)
            coefs = self._solve(problem, k)
            f = test.design.predict(coefs)
            total += float(test.weight @ problem.loss.value(test.y, f))
        return total / self._weight

    def _solve(self, problem: Problem, k: int) -> np.ndarray:
        """Coefficients without fold k: in closed form, or from the last ones at other strengths."""
        if problem.loss.is_quadratic and why_not_arrow(problem) is None:
            factor = arrow_problem(problem).factor_grams(self._grams[k])
            at_zero = self._slopes[k]  # the gradient of R
            step = factor.solve(problem.structure.adjoint(at_zero, problem.zeros()))
            return -problem.structure.assemble(step)
        found = select(problem).solve(problem, self._starts[k], self.tol, self.max_iter)
        self._starts[k] = found.blocks
        return found.coefs
