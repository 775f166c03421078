"""Choosing several strengths: a path in each, one after the other, until none changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "choose"]

Strengths = dict[str, float]
_TIE = 1e-6  # relative difference of risks below which the larger strength is chosen


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
    leader = next(iter(grids))
    known: dict[tuple[float, ...], float] = {}

    def ask(point: Strengths) -> float:
        key = tuple(point.values())
        if key not in known:
            known[key] = risk({**fixed, **point})
        return known[key]

    def best(name: str, grid: np.ndarray) -> float:
        risks = np.array([ask({**point, name: float(value)}) for value in grid])
        close = risks <= risks.min() + _TIE * abs(risks.min())
        return float(grid[int(np.argmax(close))])  # of equals the strongest: grids go down

    point = {name: float(grid[len(grid) // 2]) for name, grid in grids.items()}
    for _ in range(rounds):
        before = dict(point)
        for name, grid in grids.items():
            point[name] = best(name, _thinned(grid))
        if point == before or len(grids) == 1:
            break
    for name, grid in reversed(list(grids.items())):  # the leader last, and over its whole path
        point[name] = best(name, grid if name == leader else _around(grid, point[name]))
    path = np.asarray(grids[leader], dtype=float)
    risks = np.array([ask({**point, leader: float(value)}) for value in path])
    return Choice({**fixed, **point}, ask(point), path, risks)


def _thinned(grid: np.ndarray) -> np.ndarray:
    """Every third value and the last: enough to find the valley of a smooth risk."""
    return grid if len(grid) < 12 else np.unique(np.append(grid[::3], grid[-1]))[::-1]


def _around(grid: np.ndarray, value: float) -> np.ndarray:
    """The value and its two neighbours on either side."""
    at = int(np.argmin(np.abs(grid - value)))
    return grid[max(at - 2, 0) : at + 3]
