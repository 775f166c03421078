"""Squared errors of tasks and their strengths, as far as their rows tell tasks apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import digamma, ndtr, polygamma

from polytask.data import TaskData, task_shares
from polytask.problem import Problem
from polytask.tuning.loo import LeaveOneOut
from polytask.tuning.repeats import repeats

__all__ = ["precision_shares", "shrunk_noise"]

_NOTHING = 1e-9  # share of a task's mean square below which an error is rounding
_SPREADS = np.log(10.0) * np.array([0.25, 0.5, 1.0, 2.0])  # of tasks' strengths, in logarithms
_STEP = 0.25  # of logarithms of strengths between those of a path
# Twice the logarithm of a likelihood ratio from which on strengths differ: of all tasks, and of
# each times the cube of coefficients over rows, with which left-out errors are less and less a
# likelihood. Fifteen kinds of world of noise alone were below it in 98 of a hundred draws.
_CLEAR, _CROWDED = 4.0, 8.0


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


def precision_shares(
    problems: Sequence[Problem], strengths: np.ndarray, data: TaskData
) -> np.ndarray:
    """Shares of tasks in R (m,): their rows over their noise, times what their slopes exceed.

    A ridge on coefficients of a like size wants a strength that is in proportion to the noise, and
    leave-one-out errors that count in units of it. Where coefficients of tasks clearly differ in
    size, a task wants the inverse of its own.

    Parameters
    ----------
    problems, strengths : sequence of Problem, ndarray of shape (A,)
        Single-task problems on a path, and the ridge on slopes of each. The noise of a task is its
        least leave-one-out error on it; there is none where that is undefined, or nothing but
        rounding.
    """
    risks = LeaveOneOut().task_risks(problems)
    own = 2.0 * risks.min(axis=1)
    square = np.bincount(data.code, data.sample_weight * data.y**2) / data.counts
    known = np.isfinite(own) & (own > _NOTHING * np.maximum(square, square.max() * _NOTHING))
    if known.sum() < 2:
        return task_shares(data.counts, "size")
    rows = np.bincount(data.code, repeats(data))
    noise = shrunk_noise(own, np.maximum(rows - data.n_coefs, 1.0), known)
    used = np.isfinite(risks).any(axis=0) & (strengths > 0)
    log = np.log(strengths[used]) + np.log(data.counts / (data.share * noise))[:, None]
    evidence = -rows[:, None] * risks[:, used] / noise[:, None]
    known &= np.isfinite(evidence).all(axis=1)
    more = np.zeros(len(noise))
    if known.sum() > 1 and used.sum() > 2:
        clear = max(_CLEAR, _CROWDED * float(((data.n_coefs / rows[known]) ** 3).sum()))
        more[known] = _strengths_apart(log[known], evidence[known], clear)
    return task_shares(data.counts / (noise * np.exp(more)), "size")


def _strengths_apart(log: np.ndarray, evidence: np.ndarray, clear: float) -> np.ndarray:
    """How far the logarithm of each task's strength is from their mean (m,), shrunk to it.

    They are normal about a mean, with the spread of largest likelihood; zero where it is not clear
    that there is one.

    Parameters
    ----------
    log : ndarray of shape (m, A)
        Logarithms of strengths over the noise, the same path in each task but for a shift.
    evidence : ndarray of shape (m, A)
        Logarithms of likelihoods, but for a constant: minus squares left out over twice the noise.
    clear : float
        Twice the logarithm of their ratio from which on there is a spread.
    """
    path = log[0] - log[0, -1]
    fine = np.arange(0.0, path[0], _STEP)
    shape = PchipInterpolator(path[::-1], evidence[:, ::-1], axis=1)(fine)
    top = shape.max(axis=1, keepdims=True)
    shape, at = np.exp(shape - top), log[:, -1:] + fine
    means = np.arange(at.min(), at.max(), 2 * _STEP)

    def likelihood(mean: float, spread: float) -> tuple[float, np.ndarray]:
        edges = np.c_[np.full(len(at), -np.inf), at[:, 1:] - _STEP / 2, np.full(len(at), np.inf)]
        weight = shape * np.diff(ndtr((edges - mean) / spread), axis=1)
        total = weight.sum(axis=1)
        with np.errstate(divide="ignore"):
            return float(np.log(total).sum()), (weight * at).sum(axis=1) / np.maximum(total, 1e-300)

    alike = max(likelihood(mean, _STEP / 4)[0] for mean in means)
    found = [(*likelihood(mean, spread), mean) for mean in means for spread in _SPREADS]
    best, strengths, mean = max(found, key=lambda each: each[0])
    return strengths - mean if 2.0 * (best - alike) > clear else np.zeros(len(at))
