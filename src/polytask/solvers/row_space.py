"""Squared losses of fewer rows than coefficients: the arrow in the space of the rows."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy import linalg

from polytask.algebra.arrow import few_rows
from polytask.algebra.kernel_products import Border, KernelProducts, NotNearError
from polytask.data.oracle import RowsAt
from polytask.problem import ObjectiveAt, Problem
from polytask.solvers.arrow_problem import ArrowProblem, arrow_problem
from polytask.structures import Blocks

__all__ = ["solve_in_rows"]

_MOST = 6  # steps
_LEAST = 0.5  # share of the violation that a step must take off


def solve_in_rows(problem: Problem, goal: float, enough: float) -> tuple[ObjectiveAt, int] | None:
    """The optimum of a squared loss, and steps; None where products with rows do not lead there.

    The last step brings the violation to ``goal``, or no longer halves it: then ``enough`` will do.
    """
    arrow = arrow_problem(problem)
    if not _Left.serves(arrow):
        return None
    here, violation, steps = problem.at(problem.zeros()), np.inf, 0
    try:
        left = _Left(arrow)
        while steps < _MOST and violation > goal:
            trial = problem.at(left.solved(cast(RowsAt, here.risk).f))
            if not trial.violation <= _LEAST * violation:
                break
            here, violation, steps = trial, trial.violation, steps + 1
    except (linalg.LinAlgError, NotNearError):
        return None
    return (here, steps) if violation <= enough else None


class _Left:
    """What the fit leaves of the targets: e, times the roots of weights.

    With rows Z and targets t times these, and A the column that has no penalty, w0 = G^-1 Z'e and
    Δw_i = D^-1 Z_i'e_i elsewhere, so that (I + Z G^-1 Z' + diag_i(Z_i D^-1 Z_i')) e + A b = t and
    A'e = 0. Every solve adds to e and b what the rows say is missing.
    """

    def __init__(self, arrow: ArrowProblem) -> None:
        self.arrow, self.data = arrow, arrow.problem.data
        data, masks = self.data, arrow.structure
        self.root, self.each = np.sqrt(data.weight), bool((arrow.D <= 0).any())
        self.common, self.own = (
            _inverse(strength, mask)
            for strength, mask in ((arrow.G, masks.common), (arrow.D, masks.deviation))
        )
        free = self.each or bool((arrow.G <= 0).any())
        column = self.root * data.design.last_column() if free else np.zeros(len(data.y))
        self.A = Border(column, data.start, self.each)
        if self.each:  # nothing of it is left for w0
            self.common[-1] = 0.0
        self.products = KernelProducts(data.design, self.root, self.common, self.own, self.A)
        self.e, self.b = np.zeros(len(data.y)), np.zeros(1)

    @staticmethod
    def serves(arrow: ArrowProblem) -> bool:
        """Whether there are many rows, and yet few, and no column but the last has no penalty."""
        design, masks = arrow.problem.data.design, arrow.structure
        c, k = np.flatnonzero(masks.common), np.flatnonzero(masks.deviation)
        free = np.append(c[arrow.G <= 0], k[arrow.D <= 0])
        known = bool((free == design.n_columns - 1).all()) and KernelProducts.serves(design)
        return known and few_rows(design, c, k, arrow.G, arrow.D)

    def solved(self, f: np.ndarray) -> Blocks:
        """The blocks, better than those of linear predictors f (N,)."""
        A, masks = self.A, self.arrow.structure
        missing = self.root * (self.data.y - f) - self.e
        lift = A.over(missing, A.column)
        e, b = self.products.solve(missing - A.image(lift))
        self.e, self.b = self.e + e, self.b + lift + b
        self.e -= A.image(A.over(self.e, A.column))
        sums = self.data.design.adjoint(self.root * self.e)
        common, deviation = self.common * sums.sum(axis=0), self.own * sums
        if self.each:
            deviation[:, -1] = self.b
        elif A.column.any():
            common[-1] = self.b[0]
        return {"common": common[masks.common], "deviation": deviation[:, masks.deviation]}


def _inverse(strength: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """1 / strength in the places of a mask (p,), zero elsewhere and where it is zero."""
    out = np.zeros(len(mask))
    out[mask] = np.divide(1.0, strength, out=np.zeros(len(strength)), where=strength > 0)
    return out
