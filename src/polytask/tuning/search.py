"""Choosing several strengths: a path in each, one after the other, until none changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["TIE", "Choice", "Risks", "Strengths", "choose", "nothing_known", "one_by_one"]

Strengths = dict[str, float]
Risks = Callable[[Sequence[Strengths]], np.ndarray]
_FALLS = 1e-3  # relative fall of the risk over the last step of a grid that is worth more steps
_MOST_CONTINUATIONS = 6
_COARSE = 5e-3  # share of the risk that is worth a value between those of a grid
_CLEARLY = 0.1  # share of the least risk by which another is clearly above it
_ENOUGH = 1e-4  # share of the risk that is worth another sweep
TIE = 1e-6  # relative difference of risks below which the larger strength is chosen


@dataclass(frozen=True)
class Choice:
    """Chosen strengths and the last path of the first of them.

    Parameters
    ----------
    strengths : dict {name: float}
    risk : float
        Estimated risk at the choice.
    path : ndarray of shape (n,)
        Values of the leading strength that were tried with the others at their choice, from large
        to small.
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
    whole: bool = True,
    sparing: bool = False,
) -> Choice:
    """Minimize an estimated risk over grids by coordinate search.

    A grid that goes down to a strength at which the risk still falls is continued, and gains a
    value where a parabola through three of its values promises half a percent less risk.

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
    whole : bool
        Whether the last sweep is over the whole grid of the leader, not only around the point.
    sparing : bool
        Whether lines are walked from the point outwards, only to where the risk is clearly above
        the least and still rises: for tables whose every risk is dear. With few rows there may be
        a valley behind.

    Raises
    ------
    ValueError
        If the risk is infinite everywhere: nothing speaks for any strength.
    """
    search = _Search(risks, dict(grids), fixed, whole, sparing)
    middle = {name: float(grid[len(grid) // 2]) for name, grid in grids.items()}
    strong = {name: float(grid[0]) for name, grid in grids.items()}
    search.point = [middle, strong][int(np.argmin(search.ask([middle, strong])))]
    search.descend(rounds)
    for _ in range(_MOST_CONTINUATIONS):
        if not search.continue_grids():
            break
        search.descend(1)
    if not np.isfinite(list(search.known.values())).any():
        raise ValueError(nothing_known(grids))
    risk = float(search.ask([search.point])[0])
    return Choice({**fixed, **search.point}, risk, *search.path())


class _Search:
    """A coordinate search: its grids, what is known, and where it stands."""

    def __init__(
        self, risks: Risks, grids: dict[str, np.ndarray], fixed: Strengths, whole: bool,
        sparing: bool,
    ) -> None:  # fmt: skip
        self.risks, self.grids, self.fixed = risks, grids, fixed
        self.whole, self.sparing = whole, sparing
        self.leader = next(iter(grids))
        self.known: dict[tuple[float, ...], float] = {}
        self.point: Strengths = {}
        self.walked: set[str] = set()

    def ask(self, points: Sequence[Strengths]) -> np.ndarray:
        """Risks, each of which is estimated once."""
        new = {tuple(point.values()): point for point in points}
        new = {key: point for key, point in new.items() if key not in self.known}
        if new:
            values = self.risks([{**self.fixed, **point} for point in new.values()])
            self.known.update(zip(new, map(float, values), strict=True))
        return np.array([self.known[tuple(point.values())] for point in points])

    def along(self, name: str, grid: np.ndarray) -> np.ndarray:
        """Risks where one strength runs over a grid."""
        return self.ask([{**self.point, name: float(value)} for value in grid])

    def descend(self, rounds: int) -> None:
        """Sweeps over thinned grids, then around the point, or all of the leader's grid."""
        before = np.inf
        for _ in range(rounds):
            start = dict(self.point)
            for name, grid in self.grids.items():
                self._take_best(name, _thinned(grid))
            here = float(self.ask([self.point])[0])
            small = self.sparing and before - here < _ENOUGH * abs(here)
            if self.point == start or small or len(self.grids) == 1:
                break
            before = here
        for name, grid in reversed(self.grids.items()):
            all_of_it = self.whole and name == self.leader
            self._take_best(name, grid if all_of_it else _around(grid, self.point[name]))
            self.refine(name)

    def path(self) -> tuple[np.ndarray, np.ndarray]:
        """Values of the leader that were asked for with the others at the point; their risks."""
        here = np.array([tuple(self.point.values())])
        lead, points = list(self.point).index(self.leader), np.array(list(self.known))
        along = (np.delete(points, lead, 1) == np.delete(here, lead, 1)).all(axis=1)
        order = np.argsort(-points[along, lead])
        return points[along, lead][order], np.array(list(self.known.values()))[along][order]

    def _asked(self, name: str, grid: np.ndarray) -> np.ndarray:
        """The values that are worth a risk: all, or those before it is hopeless on either side."""
        if not self.sparing:
            return grid
        clearly = 0.0 if name in self.walked else _CLEARLY  # what lies far has been seen
        self.walked.add(name)
        start = int(np.argmin(np.abs(grid - self.point[name])))
        least = middle = float(self.along(name, grid[[start]])[0])
        first, last = start, start
        for step in (-1, 1):
            at, before = start + step, middle
            while 0 <= at < len(grid):
                here = float(self.along(name, grid[[at]])[0])
                first, last, least = min(first, at), max(last, at), min(least, here)
                if here > max(before, least + clearly * abs(least)):
                    break
                at, before = at + step, here
        return grid[first : last + 1]

    def _take_best(self, name: str, grid: np.ndarray) -> None:
        grid = self._asked(name, grid)
        found = self.along(name, grid)
        close = found <= found.min() + TIE * abs(found.min())
        self.point[name] = float(grid[int(np.argmax(close))])  # of equals the strongest

    def continue_grids(self) -> bool:
        """Continue grids at whose weak end, not zero, the point stands while the risk falls."""
        grown = False
        for name, grid in self.grids.items():
            if len(grid) < 3 or not grid[-2] > grid[-1] > 0 or self.point[name] != grid[-1]:
                continue
            before, last = self.along(name, grid[-2:])
            if last < (1.0 - _FALLS) * before:
                more = grid[-1] * (grid[-1] / grid[-2]) ** np.arange(1, len(grid) // 3 + 1)
                self.grids[name], grown = np.append(grid, more), True
        return grown

    def refine(self, name: str) -> None:
        """Try the lowest point of a parabola, in logarithms, where the neighbours promise much."""
        grid = self.grids[name]
        at = int(np.argmin(np.abs(grid - self.point[name])))
        near = grid[max(at - 1, 0) : at + 2]
        if len(near) < 3 or not near[0] > near[1] > near[2] > 0:
            return
        risks = self.along(name, near)
        if not np.isfinite(risks).all():
            return
        unit = np.abs(risks).max() or 1.0
        bend, slope, here = np.polyfit(np.log(near / near[1]), risks / unit, 2)
        if bend <= 0 or slope**2 <= 4.0 * bend * _COARSE * abs(here):
            return
        lowest = near[1] * np.exp(-0.5 * slope / bend)
        self.grids[name] = np.sort(np.append(grid, lowest))[::-1]
        self._take_best(name, self.grids[name][at - 1 : at + 3])


def one_by_one(risk: Callable[[Strengths], float]) -> Risks:
    """Risks of several points where nothing is gained by asking for them together."""
    return lambda points: np.array([risk(point) for point in points])


def nothing_known(grids: Mapping[str, np.ndarray]) -> str:
    """What an error says where every risk is infinite."""
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
