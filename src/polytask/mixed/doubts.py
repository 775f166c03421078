"""What rows cannot say of a mixed model, in words, and standard errors where no noise is left."""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.mixed.point import MixedPoint
from polytask.mixed.reml import MixedModel
from polytask.mixed.root import Root

__all__ = ["DoubtWarning", "doubts", "has_no_noise", "pooled_moments", "pooled_point"]

_NO_NOISE = 1e-4  # share of the pooled residual variance
_NO_NOISE_TURNED = 1e-2  # the same where any direction may vary between tasks
_ROWS, _ROWS_OF_VARIANCE = 1.25, 40.0  # a coefficient, a variance: below both intervals are short


class DoubtWarning(UserWarning):
    """A mixed model whose rows do not say what its variances or standard errors claim."""


def has_no_noise(model: MixedModel, point: MixedPoint, root: Root) -> bool:
    """Whether the deviations take all that the common part leaves, and rows do not exceed them."""
    if model.known_noise or model.silent or model.has_noise:
        return False
    share = _NO_NOISE_TURNED if (root.row != root.column).any() else _NO_NOISE
    return bool(point.noise <= share * model.square / model.n_rows)


def doubts(data: TaskData, no_noise: bool, covariance: str, root: Root | None) -> list[str]:
    """Sentences about what is not known; none where all is well.

    With a ``root`` also whether rows are many enough for intervals: below 1.25 a coefficient that
    may deviate and 40 a variance or correlation, those of 95 % hold .93 of simulated coefficients,
    of ten tasks with full covariances .82 to .91 (`tests/reml/test_coverage.py`).
    """
    rows = data.sizes[data.counts > 0]
    found = []
    if len(rows) == 1:
        found.append(
            "one task says nothing about variances between tasks: they are its coefficients' size"
        )
    elif (rows == 1).all() and data.intercept:
        found.append(
            "with one row in every task, differences between tasks and noise cannot be told apart"
        )
    if no_noise:
        found.append(
            f"the deviations explain the {int(rows.sum())} rows next to perfectly and leave no "
            "noise to estimate, so that standard errors rest on the noise of the pooled fit; "
            + (
                "set covariance='scalar', or "
                if covariance in ("diagonal", "factor", "full")
                else ""
            )
            + "collect more rows a task"
        )
    if found or root is None:
        return found
    n, own = int(rows.sum()), len(rows) * len(np.unique(root.row))
    if n < _ROWS * own and n < _ROWS_OF_VARIANCE * root.size:
        found.append(
            f"{n} rows hardly exceed, or do not reach, the {own} coefficients of the tasks, and "
            f"{root.size} variances and correlations are estimated from them: intervals of 95 % "
            "may hold 90 % only, or less; "
            + ("set covariance='scalar', " if covariance != "scalar" else "")
            + "let fewer coefficients vary (varying=[...]), or collect more rows a task"
        )
    return found


def pooled_point(model: MixedModel, point: MixedPoint) -> MixedPoint:
    """The same were all noise the pooled fit's.

    The variances between tasks keep their size, without correlations, which perfect fits invent.
    """
    noise = model.square / model.n_rows
    other = model.at(np.diag(np.sqrt(point.noise / noise * (point.L**2).sum(axis=1))), point.kappa)
    other.noise = noise
    return other


def pooled_moments(
    model: MixedModel, point: MixedPoint, grams: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Noise, covariances of an unseen task and of given ones at `pooled_point`."""
    other = pooled_point(model, point)
    unseen = other.noise * (other.S_inverse + other.L @ other.L.T)
    return other.noise, unseen, other.tasks(grams, np.zeros(grams.shape[:2]))[1]
