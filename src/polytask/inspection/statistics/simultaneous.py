"""Overall gains of several models at once, valid for the best of them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from polytask.algebra.linalg import symmetric_eigen
from polytask.inspection.statistics.shared_folds import shared_variance

__all__ = ["FEW_TASKS", "OverallGains", "overall_gains"]

FEW_TASKS = 10  # with fewer, tasks are too few to be the sampling unit
_DRAWS = 20_000

Folds = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class OverallGains:
    """Relative gains of k models over one reference.

    Attributes
    ----------
    value, low, high, p : ndarray of shape (k,)
        Each model for itself.
        An upper end is one at most: no loss is below zero.
    joint_low, joint_high, joint_p : ndarray of shape (k,)
        Simultaneous: all k intervals hold the truth together with the stated probability, so
        the interval of the best one does, however it was chosen.
    unit : {"tasks", "rows"}
        What was taken as drawn at random.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    joint_low: np.ndarray
    joint_high: np.ndarray
    joint_p: np.ndarray
    unit: str


def overall_gains(
    rows: np.ndarray,
    reference: np.ndarray,
    gain: np.ndarray,
    covariance: np.ndarray,
    *,
    inflation: float,
    level: float = 0.95,
    seed: int = 0,
    folds: Folds | None = None,
    by_tasks: bool | None = None,
    relative: bool = True,
) -> OverallGains:
    """Relative reduction of the mean loss against a reference, all models at once.

    With L_i the mean loss of the reference over the rows of task i and G_i the gain there, the
    relative gain is r = sum_i G_i / sum_i L_i: tasks count alike. Its error comes from
    e_i = (G_i - r L_i) / mean L.

    * Ten tasks or more: the tasks are the sampling unit, Var(r) = c var(e_i) / m with m - 1
      degrees of freedom. The whole cross-validated gain of a task is one draw; what the tasks
      have in common (one training part chooses their strengths and w0) is in the correction c
      for training parts that overlap, and what the folds prove beyond is added: see
      `shared_variance`. The interval speaks about tasks such as these, with new rows.
    * Fewer: the rows inside the tasks are the unit, Var(r) = sum_i c s_i² / n_i / m² with c the
      correction for overlapping training sets. It speaks about these very tasks, with new rows.

    The simultaneous intervals take the 1 - level quantile of the largest |t| over the models
    from a multivariate t with the correlation of the models' errors.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Scored rows of each task.
    reference, gain : ndarray of shape (m,), (m, k)
        Mean loss of the reference in each task, and mean gains over it.
    covariance : ndarray of shape (m, k + 1, k + 1)
        Over the rows of each task, of the k gains and, last, the reference's loss.
    folds : callable, optional
        From r, shape (k,), to the shares (m, J) of the folds in the tasks' rows and the parts
        (m, J, k) of G_i - r L_i that they hold.
    by_tasks : bool, optional
        Whether tasks are the unit; unless given, from ten on.
    relative : bool, default=True
        Else the reduction itself: G_i in place of e_i.

    References
    ----------
    Hothorn, Bretz and Westfall (2008), Simultaneous inference in general parametric models,
    Biometrical Journal 50; Nadeau and Bengio (2003), Machine Learning 52, for c; Cochran
    (1977), Sampling Techniques, chapter 6, for ratios.
    """
    used = rows > 0
    mean_loss = float(reference[used].mean())
    mean_loss = mean_loss if mean_loss > 0 and relative else 1.0
    value = gain[used].mean(axis=0) / mean_loss
    ratio = value if relative else np.zeros_like(value)
    most = 1.0 if relative else np.inf
    if used.sum() >= FEW_TASKS if by_tasks is None else by_tasks:
        error = (gain - ratio * reference[:, None])[used] / mean_loss
        total = _task_covariance(error, ratio, mean_loss, inflation, folds)
        return _intervals(value, total, float(used.sum() - 1), "tasks", level, seed, most)
    turn = np.hstack([np.eye(len(value)), -ratio[:, None]]) / mean_loss
    parts = [turn @ covariance[i] @ turn.T for i in np.flatnonzero(rows > 1)]
    total, df = _row_covariance(parts, rows, inflation)
    return _intervals(value, total, df, "rows", level, seed, most)


def _task_covariance(
    error: np.ndarray, ratio: np.ndarray, mean_loss: float, inflation: float, folds: Folds | None
) -> np.ndarray:
    """Covariance of the k ratios with tasks, and what they share in a fold, as the random parts.

    The training parts of all folds have most rows in common, and so has what they choose for all
    tasks: that does not show between folds, and the factor for overlap stands for it. The shared
    part widens the errors and leaves their correlations.
    """
    covariance = np.atleast_2d(np.cov(error, rowvar=False)) / len(error)
    if folds is None:
        return covariance
    covariance = covariance * inflation
    shares, parts = folds(ratio)
    own = np.diag(covariance)
    shared = shared_variance(parts / mean_loss, shares, inflation)
    wider = np.sqrt(1 + np.divide(shared, own, out=np.zeros_like(own), where=own > 0))
    return covariance * np.outer(wider, wider)


def _row_covariance(
    inside: list[np.ndarray], rows: np.ndarray, inflation: float
) -> tuple[np.ndarray, float]:
    """Covariance of the k gains, and Satterthwaite's degrees of freedom (the least of them).

    ``inside`` holds the covariance (k, k) over the rows of each task that has two or more.
    """
    parts = [inflation * part / n for part, n in zip(inside, rows[rows > 1], strict=True)]
    total = np.sum(parts, axis=0)
    own = np.array([np.diag(part) for part in parts])
    freedom = (rows[rows > 1] - 1.0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        df = own.sum(axis=0) ** 2 / (own**2 / freedom).sum(axis=0)
    df = np.nanmin(df) if np.isfinite(df).any() else 1.0
    return total / np.count_nonzero(rows) ** 2, float(df)


def _intervals(
    value: np.ndarray, covariance: np.ndarray, df: float, unit: str, level: float, seed: int,
    most: float,
) -> OverallGains:  # fmt: skip
    variance = np.diag(covariance)
    error = np.sqrt(np.where(variance < 0, np.nan, variance))  # no rows tell: no interval
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(value) / error, 0.0)
    largest = _largest_t(covariance, error, df, seed)
    alone = stats.t.ppf((1 + level) / 2, df) * error
    together = np.quantile(largest, level) * error
    together = np.maximum(alone, together)  # the draws may fall a hair short with one model
    p = 2 * stats.t.sf(t, df)
    joint_p = np.maximum((largest[:, None] >= t).mean(axis=0), p)
    high, joint_high = np.minimum(value + alone, most), np.minimum(value + together, most)
    return OverallGains(value, value - alone, high, p, value - together, joint_high, joint_p, unit)


def _largest_t(covariance: np.ndarray, error: np.ndarray, df: float, seed: int) -> np.ndarray:
    """Draws of max |T| under the multivariate t, models without spread left out."""
    spread = error > 0
    if not spread.any():
        return np.zeros(_DRAWS)
    scaled = covariance[np.ix_(spread, spread)] / np.outer(error[spread], error[spread])
    values, vectors = symmetric_eigen(scaled)
    root = vectors * np.sqrt(np.maximum(values, 0))
    normal, scale = _draws(seed, len(root), df)
    return np.abs(normal @ root.T / scale[:, None]).max(axis=1)


@lru_cache(maxsize=4)
def _draws(seed: int, k: int, df: float) -> tuple[np.ndarray, np.ndarray]:
    """Of k independent normal variables, and of what they are divided by."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((_DRAWS, k)), np.sqrt(rng.chisquare(df, _DRAWS) / df)
