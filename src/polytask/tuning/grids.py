"""Where a path of strengths begins and ends, computed from the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.data import TaskData
from polytask.responses import Loss

__all__ = ["common_grid", "deviation_grid", "intercept_grid", "with_zero"]

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
    return _down(top, loss, n, others, decades)


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
    return _down(top, loss, n, others, decades)


def with_zero(grid: np.ndarray) -> np.ndarray:
    """The grid with 0 (no penalty) as its last value."""
    return np.append(grid, 0.0)


def _unit(data: TaskData, loss: Loss) -> float:
    return data.null_curvature(loss)


def _down(top: float, loss: Loss, n: int, others: int, decades: float) -> np.ndarray:
    n = n if loss.is_quadratic or not others else others
    return max(top, np.finfo(float).tiny * 1e20) * np.logspace(0.0, -decades, n)


def _largest_eigenvalue(data: TaskData, per_task: bool, iterations: int = 15) -> float:
    """Largest eigenvalue of the slopes' Gram matrices, by power iterations."""
    d = data.n_features
    start = np.random.default_rng(0).normal(size=d)
    theta = np.tile(start, (data.n_tasks if per_task else 1, 1))
    apply = _curvature(data, per_task)
    value = 0.0
    for _ in range(iterations):
        theta /= np.maximum(np.linalg.norm(theta, axis=1, keepdims=True), 1e-300)
        theta = apply(theta)
        value = float(np.linalg.norm(theta, axis=1).max(initial=0.0))
    return value


def _curvature(data: TaskData, per_task: bool) -> Callable[[np.ndarray], np.ndarray]:
    """What the slopes' Gram matrices, or their sum, make of theta (m, d) or (1, d)."""
    design, d = data.design, data.n_features
    if not design.sparse and data.keeps_grams:
        grams = (data.grams if per_task else data.total_gram[None])[:, :d, :d]
        return lambda theta: (grams @ theta[:, :, None])[:, :, 0]

    def by_rows(theta: np.ndarray) -> np.ndarray:
        padded = np.zeros((data.n_tasks, data.n_coefs))
        padded[:, :d] = theta
        image = design.adjoint(data.weight * design.predict(padded))[:, :d]
        return image if per_task else image.sum(axis=0, keepdims=True)

    return by_rows
