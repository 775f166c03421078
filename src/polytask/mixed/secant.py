"""What steps tell of a Hessian that is not whole."""

from __future__ import annotations

import numpy as np

__all__ = ["secant"]


def secant(missing: np.ndarray, residual: np.ndarray, step: np.ndarray) -> np.ndarray:
    """What the Hessian lacks, changed by rank one so that it explains the last step's slopes."""
    along = float(residual @ step)
    if abs(along) <= 1e-8 * float(np.linalg.norm(residual) * np.linalg.norm(step)):
        return missing
    return missing + np.outer(residual, residual) / along
