"""Strengths where leave-one-out is out of reach: sparse rows of very many features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.solvers.cost import products_pay

__all__ = ["coarse", "too_wide"]

_POINTS = {"alpha": 8, "alpha_intercept": 4, "alpha_common": 4}
_DECADES = 6.0  # weaker penalties leave fits to rows fewer than features without an effect


def too_wide(problem: Problem) -> bool:
    """Whether leave-one-out would need matrices that products with sparse rows avoid."""
    if not problem.data.design.sparse or why_not_arrow(problem) is not None:
        return False
    return products_pay(arrow_problem(problem))


def coarse(grids: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A few strengths of each grid, evenly spread over its strongest decades.

    Refits by products cost seconds, and the more the weaker the penalty.
    """
    return {name: _some(grid, _POINTS.get(name, 4)) for name, grid in grids.items()}


def _some(grid: np.ndarray, n: int) -> np.ndarray:
    positive = grid[grid > 0]
    if len(positive) <= 1:
        return grid
    low = max(float(positive[-1]), float(positive[0]) * 10.0**-_DECADES)
    return np.geomspace(float(positive[0]), low, n)
