"""Where a path of strengths begins and ends, computed from the data."""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData

__all__ = ["common_grid", "deviation_grid", "intercept_grid", "with_zero"]

POOLS = 500.0  # alpha / largest eigenvalue at which a deviation keeps 0.1 % of its size


def deviation_grid(data: TaskData, curvature: float, n: int, decades: float = 8.0) -> np.ndarray:
    """Strengths for deviations of slopes, from the smallest that pools completely downwards.

    A deviation along an eigenvector of a task's Gram matrix sum omega x x' with eigenvalue l keeps
    the share l / (l + 2 alpha) of its size: at alpha = 500 max l every deviation has lost 99.9 %.
    """
    return _down(POOLS * curvature * _largest_eigenvalue(data, per_task=True), n, decades)


def intercept_grid(data: TaskData, curvature: float, n: int, decades: float = 7.0) -> np.ndarray:
    """The same for the intercept, whose Gram matrix is the task's share of the risk."""
    return _down(POOLS * curvature * float(data.share.max()), n, decades)


def common_grid(data: TaskData, curvature: float, n: int, decades: float = 9.0) -> np.ndarray:
    """Strengths for slopes shared by all tasks, down from ten times the largest eigenvalue."""
    return _down(10.0 * curvature * _largest_eigenvalue(data, per_task=False), n, decades)


def with_zero(grid: np.ndarray) -> np.ndarray:
    """The grid with 0 (no penalty) as its last value."""
    return np.append(grid, 0.0)


def _down(top: float, n: int, decades: float) -> np.ndarray:
    return max(top, np.finfo(float).tiny * 1e20) * np.logspace(0.0, -decades, n)


def _largest_eigenvalue(data: TaskData, per_task: bool, iterations: int = 15) -> float:
    """Largest eigenvalue of the slopes' Gram matrices, by power iterations on the rows."""
    d = data.n_features
    rng = np.random.default_rng(0)
    theta = np.zeros((data.n_tasks, data.n_coefs))
    theta[:, :d] = rng.normal(size=d)
    value = 0.0
    for _ in range(iterations):
        theta /= np.maximum(np.linalg.norm(theta, axis=1, keepdims=True), 1e-300)
        image = data.design.adjoint(data.weight * data.design.predict(theta))
        image[:, d:] = 0.0
        if not per_task:
            image[:] = image.sum(axis=0)
        value = float(np.linalg.norm(image, axis=1).max(initial=0.0))
        theta = image
    return value
