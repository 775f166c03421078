"""What all responses with a logarithmic link share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.responses.base import Response

__all__ = ["LogLink", "exp"]


def exp(f: np.ndarray) -> np.ndarray:
    """exp(f), infinite without a warning: a step that went too far is taken back by its value."""
    with np.errstate(over="ignore"):
        found: np.ndarray = np.exp(f)
    return found


@dataclass(frozen=True)
class LogLink(Response):
    """The expected target is exp(f), so that a coefficient multiplies it."""

    def link(self, mean: np.ndarray) -> np.ndarray:
        """log(mean)."""
        return np.log(np.maximum(mean, np.finfo(float).tiny))

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """exp(f)."""
        return exp(f)
