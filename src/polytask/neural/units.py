"""Targets in units of their spread, and weights back in the units of the user.

A squared or Huber loss of (y - offset) / scale is the loss of y over scale², and a head over
scale has its penalty over scale². So training in such units has the very objective of the user,
divided by a constant, and one learning rate suits targets in grams and in tonnes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polytask.neural.coding import Group
from polytask.neural.targets import Targets

__all__ = ["Units", "measure_units", "plain_units"]


@dataclass(frozen=True, eq=False)
class Units:
    """Per task: y = offset + scale * (y inside); level is where the head's intercept starts."""

    offset: np.ndarray  # (m,)
    scale: np.ndarray  # (m,)
    level: np.ndarray  # (m,) inside
    share: np.ndarray  # (m,) weight of the task in R
    separate: bool

    @property
    def risk(self) -> np.ndarray:
        """Factors (m,) that make R of the tasks' mean losses inside."""
        return self.share * self.scale**2

    @property
    def total(self) -> float:
        """What the joint objective is divided by."""
        return float(np.max(self.scale) ** 2)

    @property
    def pull(self) -> np.ndarray:
        """Factor (m,) of each task's mean loss inside, in the objective that is trained.

        Separate networks do not care what their own objective is multiplied by; a factor of one
        keeps tasks of tiny spread from falling under the epsilon of Adam.
        """
        return np.ones_like(self.share) if self.separate else self.risk / self.total

    def penalty_factor(self) -> np.ndarray:
        """Factor (m,) of a penalty on weights in the user's units."""
        if not self.separate:
            return np.full(len(self.share), 1.0 / self.total)
        share = np.where(self.share > 0, self.share, 1.0 / len(self.share))
        return 1.0 / (share * self.scale**2)


def plain_units(n_tasks: int, separate: bool) -> Units:
    """The user's own units."""
    zeros, ones = np.zeros(n_tasks), np.ones(n_tasks)
    return Units(zeros, ones, zeros, ones / n_tasks, separate)


def measure_units(targets: Targets, groups: Sequence[Group], separate: bool) -> Units:
    """Units of each task, alike in a group whose tasks learn together."""
    m, code, weight = targets.n_tasks, targets.code, targets.weight
    average = np.bincount(code, weights=weight * targets.y, minlength=m)
    offset, scale, level = np.zeros(m), np.ones(m), np.zeros(m)
    for group in groups:
        mine = group.tasks
        mean = _together(average[mine], targets.share[mine], separate)
        if not group.kind.location:
            level[mine] = [group.kind.level(value) for value in mean]
            continue
        offset[mine] = mean
        square = np.bincount(code, weights=weight * (targets.y - offset[code]) ** 2, minlength=m)
        square = _together(square[mine], targets.share[mine], separate)
        tiny = 1e-20 * (1.0 + mean**2)  # a constant target has no spread to measure in
        scale[mine] = np.sqrt(np.where(square > tiny, square, 1.0))
    return Units(offset, scale, level, targets.share, separate)


def _together(values: np.ndarray, share: np.ndarray, separate: bool) -> np.ndarray:
    if separate:
        return values
    return np.full(len(values), np.average(values, weights=share))
