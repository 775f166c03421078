"""The noise of each task as a block of its own: what is believed of it is that it is small."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TaskNoise"]


@dataclass(frozen=True)
class TaskNoise:
    """R with each task's mean of squares over its noise sigma_i, plus half the mean sigma_i.

    sum_i c_i (½ mean_j (y_j - f_j)² / sigma_i + ½ sigma_i), whose least value over sigma_i is
    sum_i c_i times the root of the mean square of task i.

    Parameters
    ----------
    floor : float
        Least sigma_i, as a share of the root of the mean square of y without features.
    """

    floor: float
