"""The mean correlation of the tasks, with an interval."""

from __future__ import annotations

import numpy as np
from scipy import stats

from polytask.inspection.related.evidence import TaskEvidence
from polytask.inspection.related.posterior import Posterior
from polytask.inspection.statistics.simultaneous import FEW_TASKS

__all__ = ["mean_correlation_interval"]


def mean_correlation_interval(
    evidence: TaskEvidence,
    posterior: Posterior,
    n_draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Mean over all pairs of tasks of w_i'S w_k / (|w_i| |w_k|), |w|² = w'S w, and its interval.

    The value is the mean over posterior draws of the coefficients. From ten tasks on the tasks are
    the sampling unit: each draw has the variance of its mean from leaving out one task after the
    other, the draws vary about their own mean, and the sum of both gives a t interval on Fisher's
    scale, for tasks such as these. With fewer tasks the interval holds the quantiles of the draws,
    for these very tasks and given the estimated variances, and is too narrow.

    References
    ----------
    Arvesen (1969), Jackknifing U-statistics, Annals of Mathematical Statistics 40; Rubin (1987),
    Multiple Imputation for Nonresponse in Surveys, for the sum.
    """
    drawn = [
        _mean_and_variance(evidence.vectors(posterior.draw(rng)), evidence.n_tasks)
        for _ in range(n_draws)
    ]
    means, inside = np.array(drawn).T
    value, m = float(means.mean()), evidence.n_tasks
    if m < FEW_TASKS:
        low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
        return value, float(low), float(high)
    variance = inside.mean() + (1 + 1 / n_draws) * means.var()
    centre = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    half = stats.t.ppf((1 + level) / 2, m - 1) * np.sqrt(variance) * np.cosh(centre) ** 2
    low, high = np.tanh([centre - half, centre + half])
    return value, float(low), float(high)


def _mean_and_variance(vectors: np.ndarray, m: int) -> tuple[float, float]:
    """Mean correlation of the vectors (m, d), and its jackknife variance over them."""
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(size > 0, size, 1.0)
    others = unit @ unit.sum(axis=0) - (unit**2).sum(axis=1)  # sum over the other tasks
    mean = others.sum() / (m * (m - 1))
    if m < 3:
        return float(mean), 0.0
    without = (others.sum() - 2 * others) / ((m - 1) * (m - 2))
    return float(mean), float((m - 1) / m * ((without - without.mean()) ** 2).sum())
