"""Predictions of rows left out of a model with several groupings, from the factors of the fit.

With K the covariance of the rows' linear predictors about their estimates, over the noise, the
rows G without themselves have

    f_G + K_GG (I - C K_GG)^-1 g_G,

g and C the slopes and curvatures of their weighted losses: exact for the squared loss at the
variances found, one Newton step for others. Of a level that leaves whole, K holds the variance
between levels, so that what is left is what the other levels and groupings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polytask.mixed.crossed.asked import Asked, Choice, CrossedData
from polytask.mixed.crossed.fit import Fitter
from polytask.mixed.crossed.laplace import LaplacePoint
from polytask.mixed.crossed.point import Solved
from polytask.mixed.crossed.rows import GroupedRows
from polytask.responses import Loss

__all__ = ["left_out_at", "left_out_crossed"]

_LEAST = 1e-8  # of what is left of a row's weight once its own influence is off
_AT_ONCE = 20_000_000  # numbers in the right-hand sides of groups that are solved together


def left_out_crossed(
    data: CrossedData, loss: Loss, asked: Sequence[Asked], groups: np.ndarray | None = None, *,
    random_common: bool, restricted: bool,
) -> np.ndarray:  # fmt: skip
    """Linear predictors (N,) of every row from a fit without it, or without its group.

    Parameters
    ----------
    asked : sequence of Asked
        With columns and a covariance that are known.
    groups : int ndarray of shape (N,) or None
    """
    fitter = Fitter(data, loss, random_common, restricted)
    choices = [Choice(each, np.asarray(each.columns), each.covariance) for each in asked]
    fitted = fitter.fit(choices)
    return left_out_at(fitter, fitted.rows, fitted.estimate.point, groups)


def left_out_at(
    fitter: Fitter, rows: GroupedRows, point: Any, groups: np.ndarray | None = None
) -> np.ndarray:
    """The same at a point that is known."""
    data, loss = fitter.data, fitter.loss
    f = np.asarray(fitter.T @ point.common + rows.predict(point.deviations))
    solved: Solved = point.model if isinstance(point, LaplacePoint) else point
    y, s = fitter.residual, data.weight
    slope, curvature = s * loss.gradient(y, f), s * loss.curvature(y, f)
    spread = _Spread(solved, rows, fitter.T)
    if groups is None:
        h = spread.own()
        moved = h * slope / np.maximum(1.0 - h * curvature, _LEAST)
    else:
        moved = _without_groups(spread, groups, slope, curvature)
    return np.asarray(f + moved + data.y - y)


def _without_groups(
    spread: _Spread, groups: np.ndarray, slope: np.ndarray, curvature: np.ndarray
) -> np.ndarray:
    """What leaving each group out adds to the predictors of its rows."""
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    moved = np.empty(len(groups))
    for rows in members:
        K = spread.between(rows)
        left = np.eye(len(rows)) - curvature[rows, None] * K
        moved[rows] = K @ np.linalg.solve(left, slope[rows])
    return moved


class _Spread:
    """Covariances of the rows' linear predictors over the noise."""

    def __init__(self, solved: Solved, rows: GroupedRows, T: np.ndarray) -> None:
        self.solved, self.rows = solved, rows
        columns = [
            rows.predict([b[..., k] for b in solved._split(*solved._solution)])
            for k in range(T.shape[1])
        ]
        left = T - np.column_stack(columns) if columns else T
        self.common = left, solved.common_covariance

    def own(self) -> np.ndarray:
        """Of each row with itself (N,)."""
        first, rest, index = self.rows.coordinates
        code = self.rows.terms[0].code
        left, C = self.common
        of_common = np.einsum("np,pr,nr->n", left, C, left, optimize=True)
        return np.asarray(self.solved.system.leverages(first, code, rest, index) + of_common)

    def between(self, rows: np.ndarray) -> np.ndarray:
        """Of some rows with one another, (k, k)."""
        left, C = self.common
        first, rest = (Z[rows] for Z in (self.rows.Z[0], self.rows.rest))
        K = left[rows] @ C @ left[rows].T
        step = max(1, _AT_ONCE // max(first.shape[1] + rest.shape[1], 1))
        for at in range(0, len(rows), step):
            some = slice(at, at + step)
            own, other = self.solved.system.solve(first[some].T.toarray(), rest[some].T.toarray())
            K[:, some] += first @ own + rest @ other
        return np.asarray(K)
