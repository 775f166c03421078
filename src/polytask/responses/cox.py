"""Times to an event, some of them censored: Cox's partial likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.responses.base import Response
from polytask.responses.row_losses import RowLoss

__all__ = ["Cox"]


@dataclass(frozen=True)
class Cox(Response):
    """Minus the log partial likelihood of each task, whose hazard is h_i(t) exp(f).

    The baseline hazard h_i of a task is free, so that f has no level. A target is the time of an
    event, or minus the time at which a row was censored.

    What a row of a comparison loses depends on the rows of its training part, which its prediction
    therefore has in it: a prediction holds the row's partial deviance, its log relative hazard and
    its integrated Brier score.

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
    asks = "predict_survival"
    metrics = ("partial_deviance", "concordance", "integrated_brier")
    row_losses: ClassVar = {
        "partial_deviance": RowLoss("partial deviance", lambda y, p: p[..., 0]),
        "integrated_brier": RowLoss("integrated Brier score", lambda y, p: p[..., 2]),
    }

    @property
    def strata(self) -> str:
        """How ties are counted."""
        return self.ties

    def point(self, answers: np.ndarray) -> np.ndarray:
        """The log relative hazards."""
        return answers[..., 1]

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The share of events: of a row, its expected events are the curvature."""
        return float(weight @ (y > 0) / weight.sum())
