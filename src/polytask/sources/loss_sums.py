"""Sums of a loss over the rows of each task: what a pass brings back."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from polytask.data import TaskMoments
from polytask.data.oracle import Pointwise

__all__ = ["LossSums", "sums_at_level"]


@dataclass(frozen=True, eq=False)
class LossSums:
    """Sums over the rows of each task at Theta; weighted as in R they are R there.

    Parameters
    ----------
    count : ndarray of shape (m,)
        Rows.
    value : ndarray of shape (m,)
        Of the loss.
    slope : ndarray of shape (m,)
        Of the loss's squared slopes.
    gradient : ndarray of shape (m, p)
    gram : ndarray of shape (m, p, p)
        Of loss'' x x'.
    """

    count: np.ndarray
    value: np.ndarray
    slope: np.ndarray
    gradient: np.ndarray
    gram: np.ndarray

    @classmethod
    def zeros(cls, m: int, p: int) -> LossSums:
        """No rows."""
        return cls(*(np.zeros((m, *shape)) for shape in ((), (), (), (p,), (p, p))))

    @property
    def total(self) -> float:
        """The loss of all rows."""
        return float(self.value.sum())

    @property
    def level_gradient(self) -> np.ndarray:
        """Gradient in each task's last coefficient alone, shape (m,)."""
        return self.gradient[:, -1]

    @property
    def curvature(self) -> None:
        """Single rows are not known."""
        return None

    @property
    def majorizer(self) -> None:
        """Single rows are not known."""
        return None

    def __add__(self, other: LossSums) -> LossSums:
        """Sums over both sets of rows."""
        return LossSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def every(self, step: int, first: int = 0) -> LossSums:
        """Those of every so manieth task; none where ``first`` is no part."""
        at = slice(first, None, step) if first < step else slice(0)
        return LossSums(*(getattr(self, f.name)[at] for f in fields(self)))

    def weighted(self, omega: np.ndarray) -> LossSums:
        """The sums of each task times its weight omega (m,)."""
        return LossSums(
            self.count * omega, self.value * omega, self.slope * omega,
            self.gradient * omega[:, None], self.gram * omega[:, None, None],
        )  # fmt: skip

    def add_cells(self, found: LossSums, at: np.ndarray) -> None:
        """Add the sums of cells, in place, to tasks that several cells may share."""
        order = np.argsort(at, kind="stable")
        places, first = np.unique(at[order], return_index=True)
        for f in fields(self):
            getattr(self, f.name)[places] += np.add.reduceat(getattr(found, f.name)[order], first)


def sums_at_level(
    moments: TaskMoments, keep: np.ndarray, loss: Pointwise, level: float, intercept: bool
) -> LossSums:
    """Sums where every linear predictor is ``level``, which moments tell of a canonical loss.

    Parameters
    ----------
    moments : TaskMoments
    keep : bool ndarray of shape (n_folds,)
        The folds that are summed over.
    loss : Pointwise
        A(f) - y f, so that its slope is a mean less the target. A term in y alone (of counts,
        y log y) is left out of the value unless y are labels: it compares with its like only.
    level : float
    intercept : bool
        Whether coefficients end in one.
    """
    sums, x = moments.about_zero(keep), moments.places(intercept)
    n, total, square = sums[:, 0, 0], sums[:, 0, -1], sums[:, -1, -1]
    y, f = np.array([0.0, 1.0, -1.0]), np.full(3, level)
    value, mean, curvature = loss.value(y, f), loss.gradient(y, f)[0], loss.curvature(y, f)[0]
    zero, one, less = loss.slopes(y, f) ** 2  # a parabola in y
    return LossSums(
        n,
        n * value[0] + total * (value[1] - value[0]),
        n * zero + 0.5 * total * (one - less) + square * (0.5 * (one + less) - zero),
        mean * sums[:, x, 0] - sums[:, x, -1],
        curvature * sums[:, x[:, None], x],
    )
