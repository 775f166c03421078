"""Squared errors of tasks and their strengths, as far as their rows tell tasks apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    if len(fine) < 3:
        return np.zeros(len(log))
    shape = PchipInterpolator(path[::-1], evidence[:, ::-1], axis=1)(fine)
    top = shape.max(axis=1, keepdims=True)
    shape, at = np.exp(shape - top), log[:, -1:] + fine
    means = np.arange(at.min(), at.max(), 2 * _STEP)
    spreads = np.array([_STEP / 4, *_SPREADS])  # the first is none
    found = np.stack([_likelihoods(shape, at[:, 0] - means[0], len(means), s) for s in spreads])
    best = np.unravel_index(int(np.argmax(found[1:].T)), found[1:].T.shape)
    if 2.0 * (found[1:].max() - found[0].max()) <= clear:
        return np.zeros(len(at))
    mean = means[best[0]]
    edges = np.c_[np.full(len(at), -np.inf), at[:, 1:] - _STEP / 2, np.full(len(at), np.inf)]
    weight = shape * np.diff(ndtr((edges - mean) / _SPREADS[best[1]]), axis=1)
    return np.asarray((weight * at).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300) - mean)


def _likelihoods(shape: np.ndarray, first: np.ndarray, n: int, spread: float) -> np.ndarray:
    """Logarithms of likelihoods of n means (n,), two steps apart, at a spread.

    ``first`` (m,) is how far the first logarithm of each task's path is from the first mean. All
    paths have the same steps, so that each distribution is computed once for all means.
    """
    cells, back = shape.shape[1], 2 * (n - 1)
    below = ndtr((first[:, None] + _STEP * (np.arange(1 - back, cells) - 0.5)) / spread)
    inside = sliding_window_view(np.diff(below, axis=1), cells - 2, axis=1)[:, back::-2]
    ends = below[:, back::-2], 1.0 - below[:, ::-2][:, :n]
    total = np.einsum("mj,mkj->mk", shape[:, 1:-1], inside)
    total += shape[:, :1] * ends[0] + shape[:, -1:] * ends[1]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total).sum(axis=0))
