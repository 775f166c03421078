"""Squared errors of tasks, as far as their rows tell tasks apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import digamma, polygamma

from polytask.data import TaskData, task_shares
from polytask.problem import Problem
from polytask.tuning.loo import LeaveOneOut
from polytask.tuning.repeats import repeats

__all__ = ["precision_shares", "shrunk_noise"]

_NOTHING = 1e-9  # share of a task's mean square below which an error is rounding


def shrunk_noise(own: np.ndarray, rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Noise variance of each task (m,), from its own squared error on as many rows.

    Logarithms are moved to their mean by the share of their spread that chance makes, so tasks in
    units of their own keep theirs; where a task is not ``known``, all the way.
    """
    half = np.maximum(rows, 1.0) / 2.0
    log = np.log(np.where(known, own, 1.0)) - digamma(half) + np.log(half)
    chance = polygamma(1, half)
    mean = float(np.average(log[known], weights=1.0 / chance[known]))
    spread = float(np.mean((log[known] - mean) ** 2 - chance[known]))
    share = max(spread, 0.0) / (max(spread, 0.0) + chance)
    noise: np.ndarray = np.exp(np.where(known, mean + share * (log - mean), mean))
    return noise


def precision_shares(problems: Sequence[Problem], data: TaskData) -> np.ndarray:
    """Shares of tasks in R (m,): their rows over their noise.

    A ridge on coefficients of a like size wants a strength that is in proportion to the noise, and
    leave-one-out errors that count in units of it.

    Parameters
    ----------
    problems : sequence of Problem
        Single-task problems on a path of strengths. The noise of a task is its least leave-one-out
        error on it; there is none where that is undefined, or nothing but rounding.
    """
    own = 2.0 * LeaveOneOut().task_risks(problems).min(axis=1)
    square = np.bincount(data.code, data.sample_weight * data.y**2) / data.counts
    known = np.isfinite(own) & (own > _NOTHING * np.maximum(square, square.max() * _NOTHING))
    if known.sum() < 2:
        return task_shares(data.counts, "size")
    rows = np.bincount(data.code, repeats(data))
    return task_shares(data.counts / shrunk_noise(own, rows, known), "size")
