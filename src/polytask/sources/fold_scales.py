"""Features as a preparer fitted to a training part would make them, from those of all rows.

Next to the indicator of its gaps a scaled number is an affine function of itself, scaled by other
rows. So the moments, or the sums at a point, of features that all rows have scaled tell those of
features that one training part has scaled, and no row is passed over again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from polytask.data import TaskMoments
from polytask.sources.loss_sums import LossSums
from polytask.sources.prepare import StreamPreparer, scale_of

__all__ = ["Affine", "turned"]

_CONSTANT = 1e-12  # of the variance over all rows: less is what rounding leaves of none


@dataclass(frozen=True, eq=False)
class Affine:
    """Features A x + b.

    Parameters
    ----------
    A : ndarray of shape (d, d)
    b : ndarray of shape (d,)
    """

    A: np.ndarray
    b: np.ndarray

    @classmethod
    def shift(cls, b: np.ndarray) -> Affine:
        """Features x + b."""
        return cls(np.eye(len(b)), b)

    @classmethod
    def of_part(cls, prepare: StreamPreparer, part: TaskMoments) -> Affine:
        """From features that ``prepare`` made of all rows to those scaled by a part of the rows."""
        total = part.about_zero(np.ones(part.n_folds, dtype=bool)).sum(axis=0)
        n, sums, squares = total[0, 0], total[0, 1:-1], np.diag(total)[1:-1]
        found, j = cls.shift(np.zeros(part.n_features)), 0
        for feature in prepare.feature_names_in_:
            width = prepare.width(feature)
            if feature in prepare.numbers_:
                found._scale_number(prepare.numbers_[feature], n, sums, squares, j)
            j += width
        return found

    def _scale_number(
        self, before: tuple[float, float, float], n: float, sums: np.ndarray, squares: np.ndarray,
        j: int,
    ) -> None:  # fmt: skip
        """Fill in the row of a number, and that of its indicator behind it."""
        _, scale, share = before
        spread = scale_of(share * (1.0 - share))
        missing = share * n + spread * sums[j + 1] if share else 0.0
        known = max(n - missing, 1.0)
        mean = sums[j] / known
        variance = squares[j] / known - mean**2
        to = np.sqrt(variance) if variance > _CONSTANT else 1.0 / scale
        self.A[j, j], self.b[j] = 1.0 / to, -mean / to
        if share:  # a gap is zero before and after
            self.A[j, j + 1], self.b[j] = mean / to * spread, -mean / to * (1.0 - share)
            now = missing / n
            own = scale_of(max(now * (1.0 - now), 0.0) if now > _CONSTANT else 0.0)
            self.A[j + 1, j + 1], self.b[j + 1] = spread / own, (share - now) / own

    def moments(self, moments: TaskMoments) -> TaskMoments:
        """Those of the features A x + b."""
        p = len(moments.shift) + 1
        M = np.eye(p)
        M[1:-1, 1:-1] = self.A
        shift = np.append(self.A @ moments.shift[:-1] + self.b, moments.shift[-1])
        return replace(moments, shift=shift, sums=M @ moments.sums @ M.T)

    def turn(self, intercept: bool) -> np.ndarray:
        """T (q, d + 1) such that theta'(A x + b, 1) = (theta T)'(x, 1)."""
        d = len(self.b)
        T = np.eye(d + 1)
        T[:d, :d], T[:d, d] = self.A, self.b
        return T if intercept else T[:d]


def turned(sums: LossSums, T: np.ndarray) -> LossSums:
    """Sums at theta T of features x, as sums at theta of features A x + b."""
    return replace(sums, gradient=sums.gradient @ T.T, gram=T @ sums.gram @ T.T)
