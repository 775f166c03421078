"""Features that lie far from zero, and what moving them to their mean does to the answer."""

from __future__ import annotations

import numpy as np

__all__ = ["far_means", "shifted_covariance"]

_FAR = 3.0  # standard deviations from zero from which a feature is taken about its mean


def far_means(mean: np.ndarray, square: np.ndarray) -> np.ndarray | None:
    """Means of features that lie far from zero, zero for the others; None where none does.

    Far are means (d,) of more than three standard deviations, ``square`` (d,) being the mean
    squares. There the level at x = 0 is an extrapolation: a penalty on it would hold what the
    slopes need, and products of such columns have lost the digits of what varies.
    """
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
    far = np.abs(mean) > _FAR * deviation
    return np.where(far, mean, 0.0) if far.any() else None


def shifted_covariance(covariance: np.ndarray, center: np.ndarray | None) -> np.ndarray:
    """Covariances (.., p, p) of w and b - w'center, from those of w and b (the last)."""
    if center is None or not center.any():
        return covariance
    moved = covariance.copy()
    moved[..., -1, :] -= center @ covariance[..., :-1, :]
    moved[..., :, -1] -= moved[..., :, :-1] @ center
    return moved
