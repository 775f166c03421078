"""Choosing several strengths at once, where many points cost little together.

Valleys of a leave-one-out risk lie askew to the axes, and there can be several: a lattice over all
strengths finds them, and Newton steps in the logarithms of the strengths, their derivatives from
differences, go to the bottom of the lowest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from polytask.algebra.linalg import symmetric_eigen
from polytask.tuning.search import TIE, Choice, Strengths, nothing_known

__all__ = ["RisksNear", "choose_jointly"]

# Risks of several points; what is costly and varies little may be taken from the point ``near``.
RisksNear = Callable[[Sequence[Strengths], Strengths], np.ndarray]

_LATTICE = (6, 3, 3)  # values of the first, second, third strength
_ALONG = 8  # values of the second on a line
_MOST_STARTS, _RIVAL = 2, 0.05  # share of the risk that another start may have more
_STEP, _FARTHEST = np.log(2.0), 3.0  # differences, and a Newton step, in the logarithm
_LEAST_STEP, _NEAR = 0.1, 0.01  # of differences; risk at the center of a quadratic to be believed
_ENOUGH = 1e-4  # share of the risk that is worth another step
_MOST_STEPS, _BEYOND = 12, 1e-8  # steps; how far weak ends of the grids are continued
_FLAT = 1e-3  # curvature over the largest, below which a direction counts as that


def choose_jointly(risks: RisksNear, grids: Mapping[str, np.ndarray], fixed: Strengths) -> Choice:
    """Minimize an estimated risk over the logarithms of strengths.

    Parameters
    ----------
    risks : callable
    grids : dict {name: ndarray}
        From strong to weak, perhaps with zero at its end: where to look. The first leads, and has
        its path kept.
    fixed : dict
        Strengths that are given.

    Raises
    ------
    ValueError
        If the risk is infinite everywhere.
    """
    search = _Joint(risks, grids, fixed)
    ends = [search.bottom(start) for start in search.starts()]
    return search.choice(min(ends, key=lambda end: end[0])[1])


class _Joint:
    """Points are tuples of strengths, in the order of the grids."""

    def __init__(self, risks: RisksNear, grids: Mapping[str, np.ndarray], fixed: Strengths) -> None:
        self.risks, self.grids, self.fixed = risks, dict(grids), fixed
        self.names = list(grids)
        self.known: dict[tuple[float, ...], float] = {}
        self.middle = np.array([grid[len(grid) // 2] for grid in grids.values()])

    def ask(self, points: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
        """Risks of points (n, k), each asked for once, near the middle of the grids unless told."""
        keys = [tuple(point) for point in points.tolist()]
        if near is not None:
            return self._new(keys, near)
        if new := [key for key in dict.fromkeys(keys) if key not in self.known]:
            self.known.update(zip(new, self._new(new, self.middle).tolist(), strict=True))
        return np.array([self.known[key] for key in keys])

    def _new(self, keys: Sequence[tuple[float, ...]], near: np.ndarray) -> np.ndarray:
        return np.asarray(self.risks([self._named(key) for key in keys], self._named(near)))

    def _named(self, point: Sequence[float] | np.ndarray) -> Strengths:
        return {**self.fixed, **dict(zip(self.names, map(float, point), strict=True))}

    def starts(self) -> list[np.ndarray]:
        """The lowest points of a lattice that are lower than all of their neighbours."""
        along = [
            _spread(grid, n if len(self.grids) > 1 else 12)
            for grid, n in zip(self.grids.values(), _LATTICE, strict=False)
        ]
        self.along, points = along[0], np.array(list(product(*along)))
        found = self.ask(points).reshape([len(v) for v in along])
        if not np.isfinite(found).any():
            raise ValueError(nothing_known(self.grids))
        lowest = np.flatnonzero(_lowest(found))
        order = lowest[np.argsort(found.ravel()[lowest], kind="stable")]
        values = found.ravel()[order]
        near = values <= (1.0 + _RIVAL) * values[:1]
        return list(points[order[near][:_MOST_STARTS]])

    def bottom(self, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The bottom of a point's valley: its risk, and where it is.

        A line in the second strength, on which points cost little, shows whether there is a lower
        one beside it.
        """
        risk, point = self.descend(start)
        if len(self.names) == 1:
            return risk, point
        values = _spread(self.grids[self.names[1]], _ALONG)
        line = np.tile(point, (len(values), 1))
        line[:, 1] = values
        found = self.ask(line)
        if found.min() >= (1.0 - _ENOUGH) * risk:
            return risk, point
        return self.descend(line[int(np.argmin(found))])

    def descend(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Newton steps from a point: the least risk, and where it is."""
        free = np.flatnonzero(point > 0)
        low, high = np.log([self._ends(int(k)) for k in free]).reshape(-1, 2).T
        best, end, size, reach = np.inf, np.log(point[free]), _STEP, _FARTHEST
        for _ in range(_MOST_STEPS):
            here, center = np.log(point[free]), np.clip(end, low + size, high - size)
            star = _star(len(free)) * size
            tried = self._with(point, free, np.vstack([here, end, center + star]))
            found = self.ask(tried)
            at, before = int(np.argmin(found)), min(best, float(found[0]))
            best, middle = float(found[at]), float(found[2])
            if not np.isfinite(best):
                break
            if best < found[0] - TIE * abs(best):
                point = tried[at]
            step, gain = _newton(star, found[2:], low - center, high - center, reach)
            more = gain + best - middle > _ENOUGH * best  # by the quadratic about the center
            falls, home = before - best > _ENOUGH * best, np.array_equal(here, end)
            if not more and middle < (1.0 + _NEAR) * best:
                break
            if np.isfinite(gain) and more and (falls or home):
                end = center + step
                continue
            end, size, reach = np.log(point[free]), 0.5 * size, 0.3 * reach  # it led nowhere
            if size < _LEAST_STEP:
                break
        return best, point

    def choice(self, point: np.ndarray) -> Choice:
        """The point, and the risk along the leading strength through it."""
        path = np.unique(np.append(self.along, point[0]))[::-1]
        along = self._with(point, np.array([0]), np.log(np.maximum(path, 1e-300))[:, None])
        along[:, 0] = path
        risks = self.ask(along, point)
        at = int(np.flatnonzero(path == point[0])[0])
        lowest = int(np.argmin(risks))
        if risks[lowest] < (1.0 - _ENOUGH) * risks[at]:
            at = lowest
        return Choice(self._named(along[at]), float(risks[at]), path, risks)

    def _ends(self, k: int) -> tuple[float, float]:
        grid = self.grids[self.names[k]]
        least = float(grid[grid > 0].min())
        return least * (_BEYOND if len(grid) > 2 else 1.0), float(grid[0])

    @staticmethod
    def _with(point: np.ndarray, free: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """Copies of a point with some of its strengths from rows of logarithms."""
        points = np.tile(point, (len(logs), 1))
        points[:, free] = np.exp(logs)
        return points


def _spread(grid: np.ndarray, n: int) -> np.ndarray:
    """So many values of a grid with both ends."""
    at = np.round(np.linspace(0, len(grid) - 1, min(n, len(grid)))).astype(int)
    return np.asarray(grid[np.unique(at)], dtype=float)


def _lowest(found: np.ndarray) -> np.ndarray:
    """Where on a lattice no neighbour, diagonal ones too, is lower."""
    least = found
    for axis in range(found.ndim):
        wide = np.pad(least, [(1, 1) if k == axis else (0, 0) for k in range(found.ndim)],
                      constant_values=np.inf)  # fmt: skip
        least = sliding_window_view(wide, 3, axis).min(axis=-1)
    return np.isfinite(found) & (found <= least)


def _star(k: int) -> np.ndarray:
    """Zero, both ways along every axis, and along every pair of axes: for a quadratic in k."""
    axes = np.eye(k)
    pairs = [axes[i] + axes[j] for i, j in combinations(range(k), 2)]
    return np.vstack([np.zeros((1, k)), axes, -axes, *(pair[None] for pair in pairs)])


def _newton(
    star: np.ndarray, risks: np.ndarray, low: np.ndarray, high: np.ndarray, reach: float
) -> tuple[np.ndarray, float]:
    """The step to the least of the quadratic through risks at a star, within bounds; its gain."""
    k = star.shape[1]
    if not np.isfinite(risks).all() or k == 0:
        return np.zeros(k), np.nan
    size = star[1, 0]
    up, down = risks[1 : k + 1], risks[k + 1 : 2 * k + 1]
    slope = (up - down) / (2.0 * size)
    bend = np.diag(up + down - 2.0 * risks[0]) / size**2
    for (i, j), both in zip(combinations(range(k), 2), risks[2 * k + 1 :], strict=True):
        bend[i, j] = bend[j, i] = (both - up[i] - up[j] + risks[0]) / size**2
    step, inside = np.zeros(k), np.ones(k, dtype=bool)
    while inside.any():
        pull = (slope + bend @ np.where(inside, 0.0, step))[inside]
        values, vectors = symmetric_eigen(bend[np.ix_(inside, inside)])
        least = max(_FLAT * float(np.abs(values).max()), 1e-12 * abs(float(risks[0])), 1e-300)
        free = -vectors @ ((vectors.T @ pull) / np.maximum(np.abs(values), least))
        step[inside] = free * min(1.0, reach / max(float(np.abs(free).max()), 1e-300))
        out = inside & ((step < low) | (step > high))
        step = np.clip(step, low, high)
        if not out.any():
            break
        inside &= ~out
    return step, -float(slope @ step + 0.5 * step @ bend @ step)
