"""Choosing strengths of a smooth loss by folds, on its quadratic model.

Near Theta the loss of task i in fold k is l_ik + g_ik'(w - theta_i) + ½ (w - theta_i)'H_ik
(w - theta_i), with the sums of one pass. On that model a fit without fold k is one arrow system,
and its held-out loss needs no rows. Theta is zero here: a point that has seen no row keeps the
held-out loss honest, where the model at a fit to all rows rewards overfitting (tried: it may choose
strengths that are off by orders of magnitude).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.problem import Problem
from polytask.solvers.arrow import factor_arrow
from polytask.solvers.arrow_problem import arrow_problem
from polytask.streaming.newton_job import LossSums

__all__ = ["QuadraticRisk"]


class QuadraticRisk:
    """Held-out risk over folds, on the quadratic model of a loss at Theta.

    Parameters
    ----------
    data : TaskData
        Without rows (`polytask.streaming.newton.shell`).
    theta : ndarray of shape (m, p)
    sums : LossSums
        By task and fold.
    n_folds : int
    """

    def __init__(self, data: TaskData, theta: np.ndarray, sums: LossSums, n_folds: int) -> None:
        self.data, self.theta = data, theta
        folds = np.arange(n_folds)
        total = sums.over_folds(folds >= 0).count
        self.parts = []
        self.weight = 0.0
        for k in folds:
            train, test = sums.over_folds(folds != k), sums.over_folds(folds == k)
            known = train.count > 0
            share = np.where(known, data.share, 0.0)
            omega = share / share.sum() / np.maximum(train.count, 1.0)
            held = np.where(known, data.share / np.maximum(total, 1.0), 0.0)
            self.weight += float(held @ test.count)
            self.parts.append((train.weighted(omega), test.weighted(held)))

    def __call__(self, make: Callable[[TaskData], Problem]) -> float:
        """Mean held-out loss of the problem's strengths."""
        problem = make(self.data)
        total = sum(self._held_out(problem, train, test) for train, test in self.parts)
        return total / self.weight

    def _held_out(self, problem: Problem, train: LossSums, test: LossSums) -> float:
        arrow: Any = arrow_problem(problem)
        zeros = problem.zeros()
        # Gradient of the model at zero; from there one Newton step is its minimum.
        slope = train.gradient - (train.gram @ self.theta[:, :, None])[:, :, 0]
        residual = problem.structure.adjoint(slope, zeros)
        factor = factor_arrow(
            self.data.design, np.zeros(0), arrow.structure, arrow.G, arrow.D, train.gram
        )
        coefs = -problem.structure.assemble(factor.solve(residual))
        step = coefs - self.theta
        curve = (step * (test.gram @ step[:, :, None])[:, :, 0]).sum()
        return float(test.value.sum() + (test.gradient * step).sum() + 0.5 * curve)
