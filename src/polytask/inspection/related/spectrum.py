"""In how many directions the tasks' coefficients lie."""

from __future__ import annotations

import numpy as np

from polytask.inspection.related.evidence import TaskEvidence
from polytask.inspection.related.posterior import Posterior

__all__ = ["effective_rank", "rank_interval", "spectrum_shares"]

_LEAST_SHARE = 0.9  # of the tasks that need an estimate of their own for the exact correction


def spectrum_shares(vectors: np.ndarray) -> np.ndarray:
    """Shares of the squared singular values of W (m, d), the largest first.

    Examples
    --------
    >>> import numpy as np
    >>> spectrum_shares(np.diag([3.0, 1.0])).tolist()
    [0.9, 0.1]
    """
    square = vectors.T @ vectors if vectors.shape[0] >= vectors.shape[1] else vectors @ vectors.T
    values = np.maximum(np.linalg.eigvalsh(square)[::-1], 0.0)
    total = values.sum()
    shares: np.ndarray = values / total if total > 0 else values
    return shares


def effective_rank(shares: np.ndarray) -> float:
    """Participation ratio 1 / sum of squared shares: k equal directions give k.

    Examples
    --------
    >>> import numpy as np
    >>> round(effective_rank(np.array([0.5, 0.5, 0.0])), 2)
    2.0
    """
    square = float((shares**2).sum())
    return 1.0 / square if square > 0 else 0.0


def rank_interval(
    evidence: TaskEvidence,
    posterior: Posterior,
    n_draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Effective rank of the true slopes W (m, d), corrected for noise, and its interval.

    (tr M)² / tr M² with M = W'W. Where the tasks have least-squares estimates w_i + e_i with
    covariances V_i, both moments are estimated without bias: with A_i = w_i w_i' - V_i of the
    estimates, tr M by sum tr A_i and tr M² by sum over i, j of tr A_i A_j, the diagonal i = j
    replaced by an unbiased estimate of (w_i'w_i)². The interval is a parametric bootstrap: W is
    drawn from the posterior, estimates with their noise from W, and the quantiles of the error of
    the logarithm turned round. Where fewer than 90 % of the tasks have an estimate of their own,
    the value is the median of posterior draws, which leans on the prior, and the ends are NaN.
    """
    drawn = [posterior.draw(rng) for _ in range(n_draws)]
    true = np.array([effective_rank(spectrum_shares(evidence.vectors(W))) for W in drawn])
    own = evidence.own
    if own.mean() < _LEAST_SHARE:
        return float(np.median(true)), np.nan, np.nan
    inverse = np.linalg.inv(evidence.grams[own])
    estimate = (inverse @ evidence.cross[own][:, :, None])[:, :, 0]
    V = inverse * evidence.noise[own, None, None]
    noise = np.linalg.cholesky(V)
    root = evidence.root
    V = root @ V[:, :-1, :-1] @ root
    most = float(min(len(root), evidence.n_tasks))
    error = [
        np.log(_corrected(evidence.vectors(_noisy(W[own], noise, rng)), V, most) / max(t, 1.0))
        for W, t in zip(drawn, true, strict=True)
    ]
    value = _corrected(evidence.vectors(estimate), V, most)
    low, middle, high = np.quantile(error, [0.5 - level / 2, 0.5, 0.5 + level / 2])
    ends = np.clip(value * np.exp([-middle, -high, -low]), 1.0, most)
    return float(ends[0]), float(ends[1]), float(ends[2])


def _noisy(W: np.ndarray, root: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noisy: np.ndarray = W + (root @ rng.standard_normal((*W.shape, 1)))[:, :, 0]
    return noisy


def _corrected(W: np.ndarray, V: np.ndarray, most: float) -> float:
    """The participation ratio from unbiased estimates of its two moments, in [1, most]."""
    own = (W**2).sum(axis=1)
    noise = np.einsum("bkk->b", V)
    first = own - noise  # of w'w
    WV = np.einsum("bkl,bl->bk", V, W)
    cross, square = (WV * W).sum(axis=1), (V**2).sum(axis=(1, 2))  # w'Vw, tr V²
    total = W.T @ W - V.sum(axis=0)
    diagonal = own**2 - 2 * cross + square  # tr A_i²
    # E (w'w)² = (w'w + tr V)² + 2 tr V² + 4 w'Vw, and E w'Vw = w'Vw + tr V²
    fourth = first**2 - 2 * square - 4 * (cross - square)
    second = float((total**2).sum() - diagonal.sum() + fourth.sum())
    trace = float(first.sum())
    if trace <= 0 or second <= trace**2 / most:
        return most
    return max(trace**2 / second, 1.0)
