"""Times to an event, some of them censored: Cox's partial likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.responses.base import Response

__all__ = ["Cox"]


@dataclass(frozen=True)
class Cox(Response):
    """Minus the log partial likelihood of each task, whose hazard is h_i(t) exp(f).

    The baseline hazard h_i of a task is free, so that f has no level. A target is the time of an
    event, or minus the time at which a row was censored.

    Parameters
    ----------
    ties : {"efron", "breslow"}, default="efron"

    References
    ----------
    Cox, Regression models and life-tables, JRSS B 34 (1972). Efron, JASA 72 (1977).
    """

    ties: str = "efron"

    name = "cox"
    title = "times to an event"
    is_likelihood = True
    metrics: ClassVar[tuple[str, ...]] = ()
    row_losses: ClassVar = {}

    @property
    def strata(self) -> str:
        """How ties are counted."""
        return self.ties

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The share of events: of a row, its expected events are the curvature."""
        return float(weight @ (y > 0) / weight.sum())
