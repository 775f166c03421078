"""Which coefficients differ between tasks, and by how much."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from polytask.algebra.linalg import symmetric_eigen
from polytask.inspection.related.evidence import TaskEvidence
from polytask.inspection.related.posterior import Posterior

__all__ = ["LEVEL_NAME", "coefficient_spread"]

LEVEL_NAME = "(level)"


def coefficient_spread(
    evidence: TaskEvidence, posterior: Posterior, n_draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """A row per feature, and the tasks' level last; per standard deviation of the feature.

    Returns
    -------
    DataFrame
        ``feature``; ``common`` (w0), ``common_low``, ``common_high``; ``spread`` (standard
        deviation of the coefficient over these tasks), ``spread_low``, ``spread_high`` (95 %
        of posterior draws); ``p`` (Cochran's Q: are the tasks' own estimates further apart than
        their noise explains; NaN where the rows of fewer than three tasks determine it), ``q``
        (false discovery rate adjusted), ``differs`` (q at most 5 %); ``scale`` (standard
        deviation of the feature, 1 for the level).

    References
    ----------
    Cochran (1954), The combination of estimates from different experiments, Biometrics 10.
    """
    spread = np.array([posterior.draw(rng).std(axis=0, ddof=1) for _ in range(n_draws)])
    error = 1.96 * np.sqrt(np.diag(evidence.common_covariance))
    p = _heterogeneity(evidence)
    q = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = stats.false_discovery_control(p[known], method="bh")
    return pd.DataFrame(
        {
            "feature": [*evidence.names, LEVEL_NAME],
            "common": posterior.common,
            "common_low": posterior.common - error,
            "common_high": posterior.common + error,
            "spread": np.median(spread, axis=0),
            "spread_low": np.quantile(spread, 0.025, axis=0),
            "spread_high": np.quantile(spread, 0.975, axis=0),
            "p": p,
            "q": q,
            "differs": q <= 0.05,
            "scale": np.append(evidence.scale, 1.0),
        }
    )


def _heterogeneity(evidence: TaskEvidence) -> np.ndarray:
    """P-values of Cochran's Q over the tasks whose rows determine the coefficient."""
    H = evidence.grams
    size = np.sqrt(np.maximum(np.einsum("bkk->bk", H), 1e-300))
    values, vectors = symmetric_eigen(H / size[:, :, None] / size[:, None, :])
    seen = values > 1e-8
    weight = np.where(seen, 1 / np.where(seen, values, 1.0), 0.0)
    # a coefficient is determined if its axis lies in the space that the rows span
    determined = ((vectors * seen[:, None, :]) ** 2).sum(axis=2) > 1 - 1e-6
    score = np.einsum("bkj,bk->bj", vectors, evidence.cross / size)
    estimate = np.einsum("bkj,bj->bk", vectors, weight * score) / size
    variance = (vectors**2 * weight[:, None, :]).sum(axis=2) / size**2 * evidence.noise[:, None]
    precision = np.where(determined, 1 / np.maximum(variance, 1e-300), 0.0)
    count = determined.sum(axis=0)
    mean = (precision * estimate).sum(axis=0) / np.maximum(precision.sum(axis=0), 1e-300)
    Q = (precision * (estimate - mean) ** 2).sum(axis=0)
    found: np.ndarray = np.where(count >= 3, stats.chi2.sf(Q, np.maximum(count - 1, 1)), np.nan)
    return found
