"""What all responses with a logarithmic link share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import skew

from polytask.responses.base import Response

__all__ = ["LogLink", "exp", "is_skewed"]

_LEAST_ROWS, _SKEWED = 30, 2.0


def exp(f: np.ndarray) -> np.ndarray:
    """exp(f), infinite without a warning: a step that went too far is taken back by its value."""
    with np.errstate(over="ignore"):
        found: np.ndarray = np.exp(f)
    return found


def is_skewed(y: np.ndarray) -> bool:
    """Whether a few large amounts decide what a squared error says; told from 30 rows on."""
    return len(y) >= _LEAST_ROWS and bool(skew(y) > _SKEWED)


@dataclass(frozen=True)
class LogLink(Response):
    """The expected target is exp(f), so that a coefficient multiplies it."""

    def link(self, mean: np.ndarray) -> np.ndarray:
        """log(mean)."""
        return np.log(np.maximum(mean, np.finfo(float).tiny))

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """exp(f)."""
        return exp(f)
