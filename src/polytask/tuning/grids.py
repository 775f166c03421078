"""Where a path of strengths begins and ends, computed from the data."""

from __future__ import annotations

import numpy as np

from polytask.algebra.linalg import largest_eigenvalue
from polytask.data import TaskData
from polytask.responses import Loss

__all__ = [
    "MOST_SPREAD",
    "beyond_paths",
    "common_grid",
    "deviation_grid",
    "intercept_grid",
    "path_of_norm",
    "spread",
    "with_zero",
]

MOST_SPREAD = 6.0  # decades that paths are stretched by at most, where every fit costs
_CONSTANT = 1e-12  # share of a feature's mean square that is rounding
_CHUNK = 32_768  # numbers in matrices that are worked on together
POOLS = 500.0  # alpha / largest eigenvalue at which a deviation keeps 0.1 % of its size


def deviation_grid(
    data: TaskData, loss: Loss, n: int, others: int = 0, decades: float = 8.0
) -> np.ndarray:
    """Strengths for deviations of slopes, from the smallest that pools completely downwards.

    A deviation along an eigenvector of a task's Gram matrix sum omega x x' with eigenvalue l keeps
    the share l / (l + 2 alpha) of its size: at alpha = 500 max l every deviation has lost 99.9 %.
    The curvature of the loss without features is the unit of l. There are ``n`` values, or
    ``others`` for a loss that is not quadratic, whose fits are not free.
    """
    top = POOLS * _unit(data, loss) * _largest_eigenvalue(data, per_task=True)
    return _down(top, loss, n, others, decades, spread(data))


def intercept_grid(
    data: TaskData, loss: Loss, n: int, others: int = 0, decades: float = 7.0
) -> np.ndarray:
    """The same for the intercept, whose Gram matrix is the task's share of the risk."""
    top = POOLS * _unit(data, loss) * float(data.share.max())
    return _down(top, loss, n, others, decades)


def common_grid(
    data: TaskData, loss: Loss, n: int, others: int = 0, decades: float = 9.0
) -> np.ndarray:
    """Strengths for slopes shared by all tasks, down from ten times the largest eigenvalue."""
    top = 10.0 * _unit(data, loss) * _largest_eigenvalue(data, per_task=False)
    return _down(top, loss, n, others, decades, spread(data))


def with_zero(grid: np.ndarray) -> np.ndarray:
    """The grid with 0 (no penalty) as its last value."""
    return np.append(grid, 0.0)


def _unit(data: TaskData, loss: Loss) -> float:
    return data.null_curvature(loss)


def spread(data: TaskData) -> float:
    """Decades between the variances of the features, beyond two, which a path spans anyway."""
    d = data.n_features
    square = (data.column_norms**2).sum(axis=0)[:d]
    if data.intercept:
        square -= data.design.adjoint(data.weight).sum(axis=0)[:d] ** 2
    some = square[square > _CONSTANT * (data.column_norms[:, :d] ** 2).sum(axis=0)]
    return max(float(np.log10(some.max() / some.min())) - 2.0, 0.0) if len(some) else 0.0


def beyond_paths(data: TaskData) -> bool:
    """Whether features differ so much in scale that no path of fits reaches what suits the least.

    No penalty at all is then worth a try.
    """
    return spread(data) > MOST_SPREAD


def path_of_norm(top: float, data: TaskData, n: int, decades: float) -> np.ndarray:
    """Strengths of a norm from ``top`` down over ``decades``, farther where scales differ.

    Gradients go with the features' deviations, not with their variances.
    """
    more = 0.5 * min(spread(data), MOST_SPREAD)
    n += int(np.ceil(n * more / decades))
    return max(top, np.finfo(float).tiny * 1e20) * np.logspace(0.0, -decades - more, n)


def _down(
    top: float, loss: Loss, n: int, others: int, decades: float, more: float = 0.0
) -> np.ndarray:
    if not loss.is_quadratic:
        n, more = others or n, min(more, MOST_SPREAD)
    n += int(np.ceil(n * more / decades))
    return max(top, np.finfo(float).tiny * 1e20) * np.logspace(0.0, -decades - more, n)


def _largest_eigenvalue(data: TaskData, per_task: bool) -> float:
    """Largest eigenvalue of the slopes' Gram matrices around the features' mean, or of their sum.

    The level takes up the mean where there is one, however far from zero it is.
    """
    d = data.n_features
    if data.design.sparse or not data.keeps_grams:
        return _by_rows(data, per_task)
    grams = data.grams if per_task else data.total_gram[None]
    largest, size = 0.0, max(1, _CHUNK // data.n_coefs**2)
    for first in range(0, len(grams), size):
        part = grams[first : first + size]
        slopes = part[:, :d, :d]
        if data.intercept:
            mean = data.total_gram[:d, d] / data.total_gram[d, d]
            less = (part[:, :d, d] - 0.5 * part[:, d, d, None] * mean)[:, :, None] * mean
            slopes = slopes - less
            slopes -= less.transpose(0, 2, 1)
        largest = largest_eigenvalue(slopes, largest)
    return largest


def _by_rows(data: TaskData, per_task: bool, iterations: int = 15) -> float:
    """The same by power iterations that read the rows."""
    design, m, d = data.design, data.n_tasks, data.n_features
    totals = design.adjoint(data.weight).sum(axis=0)[:d]
    mean = totals / data.weight.sum() if data.intercept else np.zeros(d)

    def image(u: np.ndarray) -> np.ndarray:
        found = design.adjoint(data.weight * u)
        found = found if per_task else found.sum(axis=0, keepdims=True)
        return found[:, :d] - found[:, d:].sum(axis=1, keepdims=True) * mean

    pull = image(data.y - data.weight @ data.y / data.weight.sum())
    theta = np.where(pull < 0, -1.0, 1.0) * data.column_norms[:, :d].max(axis=0)
    value = 0.0
    for _ in range(iterations):
        theta = theta / np.maximum(np.linalg.norm(theta, axis=1, keepdims=True), 1e-300)
        padded = np.zeros((m, data.n_coefs))
        padded[:, :d] = theta
        padded[:, d:] = -(theta @ mean)[:, None]
        theta = image(design.predict(padded))
        value = float(np.linalg.norm(theta, axis=1).max(initial=0.0))
    return value
