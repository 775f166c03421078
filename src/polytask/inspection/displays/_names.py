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

    task: int
    left: bool


def free_places(
    ax: Axes, x: NDArray, spans: NDArray, names: Iterable[tuple[int, str]], count: int
) -> list[Place]:
    """Choose the first `count` of `names` that fit, to the right of their point or to the left.

    Parameters
    ----------
    ax : matplotlib Axes
        With its limits and scales set.
    x : ndarray of shape (m,)
        Places of the marks across, in data units.
    spans : ndarray of shape (m, 3)
        Lower end, mark and upper end of each upright interval, in data units.
    names : iterable of (index, text)
        Points to name, the most wanted first.
    count : int
        How many names to place at most.
    """
    scale = 72 / ax.figure.dpi
    low, middle, high = (ax.transData.transform(np.column_stack([x, y])) * scale for y in spans.T)
    bars: NDArray = np.column_stack(
        [middle[:, 0], np.fmin(low[:, 1], middle[:, 1]), np.fmax(high[:, 1], middle[:, 1])]
    )
    frame = np.asarray(ax.get_window_extent().extents) * scale
    taken: list[tuple[float, float, float, float]] = []
    placed: list[Place] = []
    for index, text in names:
        if len(placed) == count:
            break
        for left in (False, True):
            box = _box(middle[index], len(text), left)
            others = np.delete(bars, index, axis=0)
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


def _hits(box: tuple[float, float, float, float], bars: NDArray) -> bool:
    across = (bars[:, 0] > box[0] - 3) & (bars[:, 0] < box[2] + 3)
    return bool(np.any(across & (bars[:, 1] < box[3] + 2) & (bars[:, 2] > box[1] - 2)))


def _overlaps(
    box: tuple[float, float, float, float], taken: list[tuple[float, float, float, float]]
) -> bool:
    return any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken)
