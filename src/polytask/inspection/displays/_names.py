"""Where a point's name can stand without covering another point or name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_CHARACTER = 5.0  # typical width of a character at 8 points, in points
_LINE = 9.0  # height of a line, in points
_OFFSET = 6.0  # from the middle of the mark to the name, in points


class Place(NamedTuple):
    """A point that gets its name, and the side on which the name stands."""

    index: int
    left: bool


def free_places(
    ax: Axes, x: NDArray, y: NDArray, names: Iterable[tuple[int, str]], count: int
) -> list[Place]:
    """Choose the first `count` of `names` that fit, to the right of their point or to the left.

    Parameters
    ----------
    ax : matplotlib Axes
        With its limits and scales set.
    x, y : ndarray of shape (m,)
        All points, in data units.
    names : iterable of (index, text)
        Points to name, the most wanted first.
    count : int
        How many names to place at most.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    points = ax.transData.transform(np.column_stack([x, y])) * 72 / ax.figure.dpi
    frame = ax.get_window_extent().extents * 72 / ax.figure.dpi
    taken: list[tuple[float, float, float, float]] = []
    placed: list[Place] = []
    for index, text in names:
        if len(placed) == count:
            break
        for left in (False, True):
            box = _box(points[index], len(text), left)
            others = points[known[known != index]]
            if _inside(box, frame) and not _hits(box, others) and not _overlaps(box, taken):
                taken.append(box)
                placed.append(Place(index, left))
                break
    return placed


def _box(point: NDArray, length: int, left: bool) -> tuple[float, float, float, float]:
    near, far = _OFFSET - 2, _OFFSET + _CHARACTER * length
    sides = (point[0] - far, point[0] - near) if left else (point[0] + near, point[0] + far)
    return sides[0], point[1] - _LINE / 2, sides[1], point[1] + _LINE / 2


def _inside(box: tuple[float, float, float, float], frame: NDArray) -> bool:
    return bool(box[0] >= frame[0] and box[2] <= frame[2])


def _hits(box: tuple[float, float, float, float], points: NDArray) -> bool:
    across = (points[:, 0] > box[0] - 3) & (points[:, 0] < box[2] + 3)
    return bool(np.any(across & (points[:, 1] > box[1] - 2) & (points[:, 1] < box[3] + 2)))


def _overlaps(
    box: tuple[float, float, float, float], taken: list[tuple[float, float, float, float]]
) -> bool:
    return any(
        box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken
    )
