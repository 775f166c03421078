"""What the rows of each task say about the losses of models: means, covariances, skewness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.inspection.statistics.skewness import pooled_skewness
from polytask.sources.loss_totals import excess_sums

__all__ = ["LossMoments"]

_ROUNDING = 1e-13  # of a sum of squares: less is what rounding leaves of equal values


@dataclass(frozen=True, eq=False)
class LossMoments:
    """Moments over the rows of each of m tasks, of g as in `LossTotals`: a loss, and excesses.

    Attributes
    ----------
    rows : ndarray of shape (m,)
    mean : ndarray of shape (m, M)
        Zero where there are no rows.
    covariance : ndarray of shape (m, M, M)
        Zero where there are fewer than two.
    cubes : ndarray of shape (m, M)
        Third central moments.
    expected : ndarray of shape (m, M, M)
        Least covariance: that which models of labels expect, zero for other targets.
    """

    rows: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    cubes: np.ndarray
    expected: np.ndarray

    @classmethod
    def of_sums(
        cls, rows: np.ndarray, sums: np.ndarray, products: np.ndarray, cubes: np.ndarray,
        expected: np.ndarray | None = None,
    ) -> LossMoments:  # fmt: skip
        """From the sums of g, g g' and g³ over the rows of each task, and those expected."""
        least = np.zeros_like(products) if expected is None else expected
        each = np.maximum(rows, 1.0)[:, None]
        mean = sums / each
        square = np.einsum("maa->ma", products) / each
        flat = square - mean**2 <= _ROUNDING * square
        scatter = products - rows[:, None, None] * mean[:, :, None] * mean[:, None, :]
        scatter[flat[:, :, None] | flat[:, None, :]] = 0.0
        third = cubes / each - 3 * mean * square + 2 * mean**3
        return cls(
            rows, mean, scatter / np.maximum(rows - 1.0, 1.0)[:, None, None],
            np.where(flat, 0.0, third), least / np.maximum(rows, 1.0)[:, None, None],
        )  # fmt: skip

    @classmethod
    def of_rows(cls, losses: np.ndarray, codes: np.ndarray, n_tasks: int) -> LossMoments:
        """From losses (M, N) of each row, NaN where it was not scored, and the rows' tasks."""
        there = np.isfinite(losses).all(axis=0)
        rows = np.bincount(codes[there], minlength=n_tasks).astype(float)
        return cls.of_sums(rows, *excess_sums(losses[:, there], codes[there], n_tasks))

    def weights(self, at: int) -> np.ndarray:
        """What makes the loss of a model of g, shape (M,)."""
        found = np.zeros(self.mean.shape[1])
        found[0] = 1.0
        if at:
            found[at] = -1.0
        return found

    def turned(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (m, k) and covariances (m, k, k) of k combinations (k, M) of g.

        Where a variance is below the expected one, it is raised to that.
        """
        found = weights @ self.covariance @ weights.T
        least = np.einsum("ka,mab,kb->mk", weights, self.expected, weights)
        own = np.einsum("mkk->mk", found)
        zero = own <= 0
        wider = np.sqrt(np.maximum(least / np.where(zero, 1.0, own), 1.0))
        wider[zero] = 0.0
        found = found * wider[:, :, None] * wider[:, None, :]
        np.einsum("mkk->mk", found)[zero] = least[zero]
        return self.mean @ weights.T, found

    def skewness(self, at: int) -> float:
        """That of single rows of g, one for all tasks."""
        second = self.covariance[:, at, at] * (self.rows - 1.0) / np.maximum(self.rows, 1.0)
        return pooled_skewness(self.rows, second, self.cubes[:, at])
