"""Strengths of a formulation on its data: by leave-one-out, or by folds where it cannot serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from polytask.data import Oracle, TaskData
from polytask.problem import Problem
from polytask.solvers.arrow_problem import keep_fit
from polytask.tuning.folds import KFoldRisk
from polytask.tuning.joint import choose_jointly
from polytask.tuning.loo import LeaveOneOut, takes_products
from polytask.tuning.search import Choice, choose, one_by_one

__all__ = ["TUNING_TOL", "choose_strengths"]

TUNING_TOL = 1e-4  # violation, or gap, at which a held-out risk no longer moves
_FOLDS = 5
_FEW_FOLDS, _LEADING, _OTHERS = 3, 8, 4  # and values, where every fit costs seconds of products
_ROWS_A_COEF = 100  # from which on leverages through w0, a hundredth, are told by near strengths
_LARGE = 1e5  # products in a pass over the rows, from which on asking less often is the faster way
_DECADES = 6.0  # weaker penalties leave fits to rows fewer than features without an effect


def choose_strengths(
    make: Callable[[Any, dict[str, Any]], Problem],
    data: Oracle,
    grids: Mapping[str, np.ndarray],
    fixed: dict[str, Any],
    max_iter: int,
) -> Choice:
    """The strengths of least estimated risk.

    Parameters
    ----------
    make : callable
        The problem at given strengths.
    data : Oracle
        Rows, moments, or rows that are passed over.
    grids : dict {name: ndarray}
        Values to choose from, from strong to weak, the leading strength first.
    fixed : dict {name: value}
    max_iter : int

    Raises
    ------
    ValueError
        If no strength has a finite risk.
    """
    middle = make(data, {**fixed, **{name: grid[len(grid) // 2] for name, grid in grids.items()}})
    if not isinstance(data, TaskData):
        from polytask.tuning.quadratic import choose_on_models

        return choose_on_models(data, middle.loss, lambda s: make(data, s), grids, fixed)  # type: ignore[arg-type]
    large = len(data.y) * data.n_coefs**2 >= _LARGE
    if LeaveOneOut.why_not(middle) is None:
        held_out = LeaveOneOut(TUNING_TOL, max_iter)
        if held_out.at_once(middle) and large:
            many_rows = data.n_coefs * _ROWS_A_COEF < len(data.y)  # none of which moves w0

            def risks(some: Sequence[dict[str, Any]], near: dict[str, Any]) -> np.ndarray:
                close = make(data, near) if many_rows else None
                return held_out.risks([make(data, s) for s in some], close)

            choice = choose_jointly(risks, grids, fixed)
            found = make(data, choice.strengths)
            keep_fit(found, held_out.fitted(found))
            return choice
        return choose(
            lambda some: held_out.risks([make(data, s) for s in some]), grids, fixed, sparing=large
        )
    n_folds, values = _FOLDS, dict(grids)
    if takes_products(middle):
        n_folds, leader = _FEW_FOLDS, next(iter(grids))
        for name, grid in grids.items():
            values[name] = _some(grid, _LEADING if name == leader else _OTHERS)
    risk = KFoldRisk(data, n_folds, TUNING_TOL, max_iter)
    of_folds = one_by_one(lambda s: risk(lambda part: make(part, s), s if large else None))
    return choose(of_folds, values, fixed, whole=False, sparing=large)


def _some(grid: np.ndarray, n: int) -> np.ndarray:
    """A few strengths, evenly spread over the strongest decades: weak ones cost most."""
    positive = grid[grid > 0]
    if len(positive) <= 1:
        return grid
    low = max(float(positive[-1]), float(positive[0]) * 10.0**-_DECADES)
    return np.geomspace(float(positive[0]), low, n)
