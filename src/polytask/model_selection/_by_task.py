"""Metrics of every task at once. Each takes (y, pred, codes, weight, m) and returns (m,) values.

Vectorised, because scikit-learn's functions called task by task take seconds for 10,000 tasks;
the tests hold each of them to scikit-learn's answer. NaN where a task has no weight or
the metric is not defined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
ByTask = Callable[[Array, Array, Array, Array, int], Array]


def divide(a: Array, b: Array) -> Array:
    """Quotient, and NaN where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=np.asarray(b) > 0)


def mean(values: Array, codes: Array, weight: Array, m: int) -> Array:
    """Weighted mean of the values of each task."""
    return divide(np.bincount(codes, weight * values, m), np.bincount(codes, weight, m))


def scatter(y: Array, codes: Array, weight: Array, m: int) -> Array:
    """Weighted sum of squares about each task's mean; exactly zero for a constant task."""
    centred = y - np.nan_to_num(mean(y, codes, weight, m))[codes]
    total = np.bincount(codes, weight * centred**2, m)
    # rounding of the mean leaves a constant y a tiny scatter, which would pass for a variance
    rounding = 8 * np.finfo(float).eps * np.abs(y).max(initial=0)
    return np.where(total > np.bincount(codes, weight, m) * rounding**2, total, 0.0)


def mse(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return mean((y - pred) ** 2, codes, weight, m)


def rmse(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return np.sqrt(mse(y, pred, codes, weight, m))


def mae(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return mean(np.abs(y - pred), codes, weight, m)


def pinball(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """That of the median."""
    return 0.5 * mae(y, pred, codes, weight, m)


def nmse(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """SSE_i / sum of squares of y about the task's own mean."""
    return divide(np.bincount(codes, weight * (y - pred) ** 2, m), scatter(y, codes, weight, m))


def explained_within(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return 1 - nmse(y, pred, codes, weight, m)


def explained_of_grand(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """1 - MSE_i / variance of all rows about the grand mean (row-weighted mean = pooled value)."""
    variance = divide(scatter(y, np.zeros_like(codes), weight, 1), weight.sum(keepdims=True))
    return 1 - mse(y, pred, codes, weight, m) / np.where(variance > 0, variance, np.nan)


def explained_within_pooled(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> float:
    """1 - SSE of all rows / sum over tasks of the squares about each task's mean."""
    sse = np.sum(weight * (y - pred) ** 2, keepdims=True)
    return float(1 - divide(sse, scatter(y, codes, weight, m).sum(keepdims=True))[0])


def kappa(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """1 - squared distance of pairs / that of chance pairs: two variances and the means' square."""
    levels = np.unique(y)
    pred = levels[np.searchsorted(0.5 * (levels[1:] + levels[:-1]), pred)]
    total = np.bincount(codes, weight, m)
    spread = scatter(y, codes, weight, m) + scatter(pred, codes, weight, m)
    apart = mean(y, codes, weight, m) - mean(pred, codes, weight, m)
    chance = divide(spread, total) + apart**2
    return 1 - divide(mse(y, pred, codes, weight, m), chance)


def accuracy(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return mean((y == pred).astype(float), codes, weight, m)


def brier(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    return mse(y, pred, codes, weight, m)


def log_loss(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    eps = np.finfo(pred.dtype).eps
    chance = np.clip(np.where(y > 0, pred, 1 - pred), eps, 1)
    return mean(-np.log(chance), codes, weight, m)


def auc(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """Share of (positive, negative) pairs of a task in the right order; ties count half."""
    task, positive, negative = _tied(y, pred, codes, weight)
    below = _running_sum(negative, task) - negative / 2
    pairs = np.bincount(task, positive, m) * np.bincount(task, negative, m)
    return divide(np.bincount(task, positive * below, m), pairs)


def average_precision(y: Array, pred: Array, codes: Array, weight: Array, m: int) -> Array:
    """Sum over thresholds of (recall step) × precision; NaN also for tasks without negatives."""
    task, positive, negative = _tied(y, -pred, codes, weight)
    found = _running_sum(positive, task)
    precision = found / np.maximum(found + _running_sum(negative, task), np.finfo(float).tiny)
    n_positive, n_negative = np.bincount(task, positive, m), np.bincount(task, negative, m)
    value = divide(np.bincount(task, positive * precision, m), n_positive)
    return np.where(n_negative > 0, value, np.nan)


def _tied(y: Array, score: Array, codes: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Groups of equal score inside a task, ascending: task, positive and negative weight."""
    order = np.lexsort((score, codes))
    task, score = codes[order], score[order]
    new = np.ones(task.size, dtype=bool)
    new[1:] = (task[1:] != task[:-1]) | (score[1:] != score[:-1])
    group = np.cumsum(new) - 1
    positive = np.bincount(group, (weight * y)[order])
    negative = np.bincount(group, (weight * (1 - y))[order])
    return task[new], positive, negative


def _running_sum(values: Array, task: Array) -> Array:
    """Cumulative sum that restarts with every task (tasks sorted)."""
    total = np.cumsum(values)
    first = np.searchsorted(task, task)
    return total - (total - values)[first]
