"""The head of one more task on given features, near a centre."""

from __future__ import annotations

import numpy as np

from polytask.responses import Loss

__all__ = ["fit_head"]

_STEPS = 60
_TOL = 1e-10


def fit_head(
    Z: np.ndarray, y: np.ndarray, omega: np.ndarray, loss: Loss, centre: np.ndarray,
    strength: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Min over a: sum_j omega_j loss(y_j, z_j'a) + sum_k strength_k (a_k - centre_k)².

    Newton's method with halving; one step for the squared loss. Where rows and strengths leave
    directions free, the answer is the one nearest to the centre.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
    y, omega : ndarray of shape (n,)
    centre, strength : ndarray of shape (k,)
    """

    def objective(a: np.ndarray) -> float:
        return float(omega @ loss.value(y, Z @ a) + strength @ (a - centre) ** 2)

    a, value = centre.astype(float), np.inf
    for _ in range(_STEPS):
        f = Z @ a
        gradient = Z.T @ (omega * loss.gradient(y, f)) + 2.0 * strength * (a - centre)
        H = (Z.T * (omega * loss.curvature(y, f))) @ Z + np.diag(2.0 * strength)
        step = np.linalg.lstsq(H, gradient, rcond=1e-12)[0]
        value = objective(a)
        if float(gradient @ step) <= _TOL * max(abs(value), 1e-300):
            return a - step if loss.is_quadratic else a
        sizes = [s for s in 0.5 ** np.arange(30) if objective(a - s * step) < value]
        if not sizes:
            return a
        a = a - sizes[0] * step
    return a
