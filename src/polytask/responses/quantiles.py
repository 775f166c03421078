"""Several quantiles at once: what a model that answers with an interval is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from polytask.responses.quantile import Quantile
from polytask.responses.row_losses import ABSOLUTE, SQUARED, RowLoss

__all__ = ["Quantiles"]


@dataclass(frozen=True)
class Quantiles(Quantile):
    """The mean pinball loss of answers (..., K), one for each of ``each``.

    Parameters
    ----------
    q, width, scale : float
        Of the middle one, as of `Quantile`.
    each : tuple of float, default=(0.1, 0.5, 0.9)
        Between 0 and 1, ascending; the one nearest to a half is the answer in one number.

    References
    ----------
    Gneiting and Raftery, Strictly proper scoring rules, JASA 102 (2007), section 6.
    """

    each: tuple[float, ...] = (0.1, 0.5, 0.9)

    asks = "predict_quantiles"

    def __post_init__(self) -> None:
        """Refuse what are no quantiles in their order."""
        each = tuple(float(q) for q in self.each)
        if len(each) < 2 or not all(a < b for a, b in pairwise((0.0, *each, 1.0))):
            raise ValueError(
                "Quantiles: quantiles must be two or more numbers between 0 and 1, ascending; got "
                f"{self.each!r}."
            )
        object.__setattr__(self, "each", each)
        object.__setattr__(self, "q", each[self.middle])
        super().__post_init__()

    @property
    def middle(self) -> int:
        """Place of the quantile nearest to a half."""
        return int(np.argmin(np.abs(np.asarray(self.each) - 0.5)))

    @property
    def quantiles(self) -> tuple[float, ...]:
        """All of them."""
        return self.each

    @property
    def row_losses(self) -> dict[str, RowLoss]:  # type: ignore[override]
        """The mean of the pinball losses, and the errors of the middle quantile."""
        words = ", ".join(f"{q:g}" for q in self.each)
        return {
            "pinball": RowLoss(f"mean pinball loss at {words}", self.mean_pinball),
            "mae": RowLoss(ABSOLUTE.title, lambda y, a: ABSOLUTE.of(y, self.point(a))),
            "rmse": RowLoss(SQUARED.title, lambda y, a: SQUARED.of(y, self.point(a))),
        }

    def mean_pinball(self, y: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Of answers (..., n, K)."""
        losses = [Quantile(q).pinball(y, answers[..., k]) for k, q in enumerate(self.each)]
        return np.asarray(np.mean(losses, axis=0))

    def point(self, answers: np.ndarray) -> np.ndarray:
        """The middle quantile."""
        return answers[..., self.middle]
