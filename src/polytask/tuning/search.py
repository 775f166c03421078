"""Choosing several strengths: a path in each, one after the other, until none changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "Risks", "choose", "one_by_one"]

Strengths = dict[str, float]
Risks = Callable[[Sequence[Strengths]], np.ndarray]
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
    risks: Risks,
    grids: Mapping[str, np.ndarray],
    fixed: Strengths,
    rounds: int = 3,
) -> Choice:
    """Minimize an estimated risk over grids by coordinate search.

    Parameters
    ----------
    risks : callable
        Estimated risk of each of several dicts of strengths.
    grids : dict {name: grid}
        Strengths to choose; the first leads the search and has its path kept. The search starts
        in the middle of all grids or at their strong ends, whichever has the smaller risk: with
        few rows the middle can lie in a valley that is far from the lowest.
    fixed : dict
        Strengths that are given.
    rounds : int
        Sweeps over the grids at most.

    Raises
    ------
    ValueError
        If the risk is infinite everywhere: nothing speaks for any strength.
    """
    leader = next(iter(grids))
    known: dict[tuple[float, ...], float] = {}

    def ask(points: Sequence[Strengths]) -> np.ndarray:
        new = {tuple(point.values()): point for point in points}
        new = {key: point for key, point in new.items() if key not in known}
        if new:
            values = risks([{**fixed, **point} for point in new.values()])
            known.update(zip(new, map(float, values), strict=True))
        return np.array([known[tuple(point.values())] for point in points])

    def along(name: str, grid: np.ndarray) -> np.ndarray:
        return ask([{**point, name: float(value)} for value in grid])

    def best(name: str, grid: np.ndarray) -> float:
        found = along(name, grid)
        close = found <= found.min() + _TIE * abs(found.min())
        return float(grid[int(np.argmax(close))])  # of equals the strongest: grids go down

    middle = {name: float(grid[len(grid) // 2]) for name, grid in grids.items()}
    strong = {name: float(grid[0]) for name, grid in grids.items()}
    point = [middle, strong][int(np.argmin(ask([middle, strong])))]
    for _ in range(rounds):
        before = dict(point)
        for name, grid in grids.items():
            point[name] = best(name, _thinned(grid))
        if point == before or len(grids) == 1:
            break
    for name, grid in reversed(list(grids.items())):  # the leader last, and over its whole path
        point[name] = best(name, grid if name == leader else _around(grid, point[name]))
    if not np.isfinite(list(known.values())).any():
        raise ValueError(_nothing_known(grids))
    path = np.asarray(grids[leader], dtype=float)
    return Choice({**fixed, **point}, float(ask([point])[0]), path, along(leader, path))


def one_by_one(risk: Callable[[Strengths], float]) -> Risks:
    """Risks of several points where nothing is gained by asking for them together."""
    return lambda points: np.array([risk(point) for point in points])


def _nothing_known(grids: Mapping[str, np.ndarray]) -> str:
    return (
        f"no value of {' and '.join(grids)} has an estimated risk to choose it by: without any "
        "of the rows their predictions are undefined (1 sample in every task, or fewer than "
        "there are features). Give the strengths numbers, or fit to more rows."
    )


def _thinned(grid: np.ndarray) -> np.ndarray:
    """Every third value and the last: enough to find the valley of a smooth risk."""
    return grid if len(grid) < 12 else np.unique(np.append(grid[::3], grid[-1]))[::-1]


def _around(grid: np.ndarray, value: float) -> np.ndarray:
    """The value and its two neighbours on either side."""
    at = int(np.argmin(np.abs(grid - value)))
    return grid[max(at - 2, 0) : at + 3]
