"""Choosing several strengths: a path in each, one after the other, until none changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "choose"]

Strengths = dict[str, float]


@dataclass(frozen=True)
class Choice:
    """Chosen strengths and the last path of the first of them.

    Parameters
    ----------
    strengths : dict {name: float}
    risk : float
        Estimated risk at the choice.
    path : ndarray of shape (n,)
        Values of the leading strength, from large to small, the others at their choice.
    risks : ndarray of shape (n,)
        Estimated risk along the path.
    """

    strengths: Strengths
    risk: float
    path: np.ndarray
    risks: np.ndarray


def choose(
    risk: Callable[[Strengths], float],
    grids: Mapping[str, np.ndarray],
    fixed: Strengths,
    rounds: int = 3,
) -> Choice:
    """Minimize an estimated risk over grids by coordinate search.

    Parameters
    ----------
    risk : callable
        Estimated risk of a dict of strengths.
    grids : dict {name: grid}
        Strengths to choose; the first leads the search and has its path kept. Each starts in the
        middle of its grid.
    fixed : dict
        Strengths that are given.
    rounds : int
        Sweeps over the grids at most.
    """
    known: dict[tuple[float, ...], float] = {}

    def ask(point: Strengths) -> float:
        key = tuple(point.values())
        if key not in known:
            known[key] = risk({**fixed, **point})
        return known[key]

    point = {name: float(grid[len(grid) // 2]) for name, grid in grids.items()}
    for _ in range(rounds):
        before = dict(point)
        for name, grid in grids.items():
            risks = [ask({**point, name: float(value)}) for value in grid]
            point[name] = float(grid[int(np.argmin(risks))])
        if point == before or len(grids) == 1:
            break
    leader, path = next(iter(grids.items()))
    risks = np.array([ask({**point, leader: float(value)}) for value in path])
    return Choice({**fixed, **point}, ask(point), np.asarray(path, dtype=float), risks)
