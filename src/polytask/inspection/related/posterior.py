"""Coefficients of the tasks given their rows and one another: means, covariances, draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.inspection.related.evidence import TaskEvidence

__all__ = ["Posterior", "coefficient_posterior"]

_STEPS = 40  # EM steps from the diagonal estimate


@dataclass(frozen=True, eq=False)
class Posterior:
    """v_i | rows ~ N(mean_i, covariance_i), from the prior v_i ~ N(common, between).

    Attributes
    ----------
    mean : ndarray of shape (m, p)
    root : ndarray of shape (m, p, p)
        R_i with R_i R_i' = covariance_i.
    common : ndarray of shape (p,)
    between : ndarray of shape (p, p)
    """

    mean: np.ndarray
    root: np.ndarray
    common: np.ndarray
    between: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Of each task, shape (m, p, p)."""
        return self.root @ self.root.transpose(0, 2, 1)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One draw of the coefficients of all tasks, shape (m, p)."""
        noise = rng.standard_normal((*self.mean.shape, 1))
        drawn: np.ndarray = self.mean + (self.root @ noise)[:, :, 0]
        return drawn

    def draw_prior(self, rng: np.random.Generator) -> np.ndarray:
        """Coefficients of as many new tasks, shape (m, p)."""
        values, vectors = symmetric_eigen(self.between)
        noise = rng.standard_normal(self.mean.shape) * np.sqrt(np.maximum(values, 0))
        drawn: np.ndarray = self.common + noise @ vectors.T
        return drawn


def coefficient_posterior(
    evidence: TaskEvidence,
    between: np.ndarray | None = None,
    keep: np.ndarray | None = None,
    centre: np.ndarray | None = None,
    prior_tasks: float = 1.0,
) -> Posterior:
    """Empirical Bayes with a full covariance of the deviations.

    EM from a diagonal covariance D of the deviations, with C_i the posterior covariance and d_i
    the posterior mean of a deviation: Gamma = (sum of C_i + d_i d_i' + k D) / (m + k), and w0 the
    generalized least-squares estimate. The k D, an inverse Wishart prior with the weight of k
    tasks, keeps Gamma near the diagonal where tasks are few.

    Parameters
    ----------
    evidence : TaskEvidence
    between : ndarray of shape (p,), optional
        D; the REML estimates of `evidence` unless given.
    keep : ndarray of bool, shape (m,), optional
        Tasks to estimate Gamma and w0 from; the posterior is of all tasks.
    centre : ndarray of shape (m, p), optional
        Fixed instead of w0, such as the centres of groups.
    prior_tasks : float, default=1
        k.

    References
    ----------
    Laird and Ware (1982), Random-effects models for longitudinal data, Biometrics 38; Chung,
    Gelman, Rabe-Hesketh, Liu and Dorie (2015), JEBS 40, for a prior on Gamma.
    """
    H = evidence.grams / evidence.noise[:, None, None]
    g = evidence.cross / evidence.noise[:, None]
    start = evidence.between if between is None else between
    D = np.maximum(start, 1e-4 * max(float(start.mean()), 1e-12))
    some = np.ones(len(H), dtype=bool) if keep is None else keep
    L = np.diag(np.sqrt(D))
    common = evidence.common if centre is None else centre
    m, p = int(some.sum()), len(D)
    of, pull = H[some], g[some]
    for _ in range(_STEPS):
        inner = _inner(of, L)
        if centre is None:
            common = _common(of, pull, L, inner, common)
        here = common if centre is None else common[some]
        deviation, root = _step(inner, pull - _apply(of, here), L)
        flat = root.transpose(1, 0, 2).reshape(p, -1)
        gamma = (deviation.T @ deviation + flat @ flat.T + prior_tasks * np.diag(D)) / (
            m + prior_tasks
        )
        values, vectors = symmetric_eigen(gamma)
        L = vectors * np.sqrt(np.maximum(values, 0))
    deviation, root = _step(_inner(H, L), g - _apply(H, common), L)
    mean = common if centre is None else common[some].mean(axis=0)
    return Posterior(common + deviation, root, mean, L @ L.T)


def _apply(H: np.ndarray, common: np.ndarray) -> np.ndarray:
    """H_i w0, or H_i c_i with a centre for each task."""
    return np.einsum("bkl,bl->bk", H, np.broadcast_to(common, H.shape[:2]))


def _inner(H: np.ndarray, L: np.ndarray) -> np.ndarray:
    """(I + L'H_i L)^-1 of every task."""
    A = L.T @ (H @ L)
    np.einsum("bkk->bk", A)[:] += 1.0
    return np.linalg.inv(A)


def _step(inner: np.ndarray, residual: np.ndarray, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means of the deviations and roots of their covariances L (I + L'H_i L)^-1 L'."""
    deviation = (inner @ (residual @ L)[:, :, None])[:, :, 0] @ L.T
    values, vectors = symmetric_eigen(inner)
    return deviation, L @ (vectors * np.sqrt(np.maximum(values, 0))[:, None, :])


def _common(
    H: np.ndarray, g: np.ndarray, L: np.ndarray, inner: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Generalized least squares for w0, as a step from `start`."""
    HL = H @ L
    HLA = HL @ inner
    residual = g - H @ start
    score = residual - (HLA @ (residual @ L)[:, :, None])[:, :, 0]
    information = H.sum(axis=0) - (HLA @ HL.transpose(0, 2, 1)).sum(axis=0)
    solved = np.linalg.lstsq(information, score.sum(axis=0), rcond=1e-10)[0]
    found: np.ndarray = start + solved
    return found
