"""One task's deviation from a given common part: a few Newton steps in its prior's coordinates."""

from __future__ import annotations

import numpy as np

from polytask.responses import Loss

__all__ = ["adapt", "prior_root"]

_STEPS = 50
_TOL = 1e-10


def prior_root(strength: np.ndarray) -> np.ndarray:
    """L (p, k) with L L' = diag(1 / (2 strength)): in u, Δ = L u, the penalty is ‖u‖² / 2 over u.

    An infinite strength has no column; one of zero has a variance that leaves it next to free.
    """
    kept = np.flatnonzero(np.isfinite(strength))
    L = np.zeros((len(strength), len(kept)))
    largest = max(float(strength[kept].max(initial=0.0)), 1.0)
    L[kept, np.arange(len(kept))] = np.sqrt(0.5 / np.maximum(strength[kept], 1e-12 * largest))
    return L


def adapt(
    loss: Loss,
    rows: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    common: np.ndarray,
    L: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimize sum_j weight_j loss(y_j, x_j'(common + L u)) + ‖u‖² / 2 over u.

    Returns
    -------
    deviation : ndarray of shape (p,)
        L u.
    covariance : ndarray of shape (p, p)
        L (I + L'HL)^-1 L', H the weighted Gram matrix at the minimum: the posterior covariance
        where the penalty is a normal prior.
    """  # fmt: skip
    Z = rows @ L
    offset = rows @ common
    u = np.zeros(L.shape[1])

    def objective(u: np.ndarray) -> float:
        return float(weight @ loss.value(y, offset + Z @ u) + 0.5 * u @ u)

    value = objective(u)
    for _ in range(_STEPS):
        f = offset + Z @ u
        slope = Z.T @ (weight * loss.gradient(y, f)) + u
        A = np.eye(len(u)) + (Z * (weight * loss.curvature(y, f))[:, None]).T @ Z
        step = -np.linalg.solve(A, slope)
        promise = -float(slope @ step)
        if promise <= _TOL * max(value, 1e-300):
            break
        for size in 0.5 ** np.arange(30):
            trial = objective(u + size * step)
            if trial <= value - 1e-4 * size * promise:
                break
        u, value = u + size * step, trial
    return L @ u, L @ np.linalg.solve(A, L.T)
