"""The Hessian of a weighted sum of squares, in the form that reads the least memory.

H maps Theta (m, p) to sum_k v_k x_k (x_k'w_i) in each task. Three forms: a Gram matrix per task,
one Gram matrix where all tasks have the same rows and weights, or the rows themselves, so that no
p × p matrix per task exists where p is above twice the rows of a task.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from polytask.data import Design, TaskData
from polytask.data.kept import kept
from polytask.data.threads import share

__all__ = [
    "Curvature",
    "RowProducts",
    "SharedGram",
    "TaskGrams",
    "make_curvature",
    "one_gram_serves",
]

# Columns per task up to which a Gram matrix costs less than eight products with rows.
_BY_TASKS = 32
_THREADS_FROM = 4e6  # numbers in Gram matrices from which a second thread reads them faster


class Curvature(Protocol):
    """H of all tasks."""

    products: bool  # whether a product with a matrix is cheap: Gram matrices exist

    @property
    def grams(self) -> np.ndarray | None:
        """Those of the tasks, (m, p, p), where they exist."""
        ...

    def apply(self, theta: np.ndarray) -> np.ndarray:
        """H Theta, shape (m, p)."""
        ...

    def last_column(self) -> np.ndarray:
        """H times the last unit vector in every task, shape (m, p)."""
        ...

    def diagonal(self) -> np.ndarray:
        """Diagonals of the H_i, shape (m, p)."""
        ...

    def total(self) -> np.ndarray:
        """Sum of the H_i, shape (p, p); needs ``products``."""
        ...


class TaskGrams:
    """A Gram matrix per task."""

    products = True

    def __init__(self, grams: np.ndarray) -> None:
        self.grams = grams

    def apply(self, theta: np.ndarray) -> np.ndarray:
        """H Theta, shape (m, p)."""
        grams = self.grams
        if grams.size < _THREADS_FROM:
            return (grams @ theta[:, :, None])[:, :, 0]
        out = np.empty_like(theta)

        def some(tasks: np.ndarray) -> None:
            part = slice(tasks[0], tasks[-1] + 1)
            out[part] = (grams[part] @ theta[part, :, None])[:, :, 0]

        share(some, np.arange(len(theta)))
        return out

    def last_column(self) -> np.ndarray:
        """H times the last unit vector in every task, shape (m, p)."""
        return self.grams[:, :, -1]

    def diagonal(self) -> np.ndarray:
        """Diagonals of the H_i, shape (m, p)."""
        return np.einsum("mpp->mp", self.grams)

    def total(self) -> np.ndarray:
        """Sum of the H_i, shape (p, p)."""
        return self.grams.sum(axis=0)


class SharedGram:
    """One Gram matrix G for all tasks: H_i = scale_i G."""

    products = True

    def __init__(self, gram: np.ndarray, scale: np.ndarray) -> None:
        self.gram, self.scale = gram, scale
        self.grams = None

    def apply(self, theta: np.ndarray) -> np.ndarray:
        """H Theta, shape (m, p)."""
        return self.scale[:, None] * (theta @ self.gram)

    def last_column(self) -> np.ndarray:
        """H times the last unit vector in every task, shape (m, p)."""
        return self.scale[:, None] * self.gram[-1]

    def diagonal(self) -> np.ndarray:
        """Diagonals of the H_i, shape (m, p)."""
        return np.outer(self.scale, self.gram.diagonal())

    def total(self) -> np.ndarray:
        """Sum of the H_i, shape (p, p)."""
        return float(self.scale.sum()) * self.gram


class RowProducts:
    """Products with the rows; no Gram matrix."""

    products = False

    def __init__(self, design: Design, v: np.ndarray) -> None:
        self.design, self.v = design, v
        self.grams = None

    def apply(self, theta: np.ndarray) -> np.ndarray:
        """H Theta, shape (m, p)."""
        return self.design.adjoint(self.v * self.design.predict(theta))

    def last_column(self) -> np.ndarray:
        """H times the last unit vector in every task, shape (m, p)."""
        unit = np.zeros((self.design.n_tasks, self.design.n_columns))
        unit[:, -1] = 1.0
        return self.apply(unit)

    def diagonal(self) -> np.ndarray:
        """Diagonals of the H_i, shape (m, p)."""
        return self.design.column_norms(self.v) ** 2

    def total(self) -> np.ndarray:
        """Sum of the H_i, shape (p, p)."""
        return self.design.total_gram(self.v)


def make_curvature(data: TaskData, v: np.ndarray, constant: bool) -> Curvature:
    """H at curvatures v (N,); ``constant`` says that v is the data's own weight.

    What is made of constant curvature is kept for as long as the data live, so that a path of
    strengths shares it.
    """
    if not constant:
        return _shared(data, v) or _make(data, v)
    return kept(data, ("shared gram",), lambda: _shared(data, v)) or _make(data, v, constant)


def one_gram_serves(data: TaskData) -> bool:
    """Whether tasks share rows, and these or the tasks are enough for one Gram matrix to pay."""
    return data.design.shared and (data.is_narrow or data.n_coefs <= _BY_TASKS * data.n_tasks)


def _shared(data: TaskData, v: np.ndarray) -> SharedGram | None:
    """One Gram matrix where all tasks have the same rows, and the same weights but for a factor."""
    if not one_gram_serves(data):
        return None
    weights = v.reshape(data.n_tasks, -1)
    scale = weights.sum(axis=1)
    first = weights[0] / max(scale[0], 1e-300)
    if not np.allclose(weights, scale[:, None] * first, rtol=1e-13, atol=0.0):
        return None
    return SharedGram(data.design.total_gram(v) / max(float(scale.sum()), 1e-300), scale)


def _make(data: TaskData, v: np.ndarray, constant: bool = False) -> Curvature:
    if not data.keeps_grams:
        return RowProducts(data.design, v)
    return TaskGrams(data.grams if constant else data.design.grams(v))


def largest_curvature(H: Curvature, d: int, iterations: int = 5) -> float:
    """About the largest eigenvalue of the H_i on the first d coefficients, by power iterations."""
    theta = np.zeros_like(H.diagonal())
    theta[:, :d] = np.random.default_rng(0).normal(size=(1, d))
    value = 0.0
    for _ in range(iterations):
        theta /= np.maximum(np.linalg.norm(theta, axis=1, keepdims=True), 1e-300)
        theta = H.apply(theta)
        theta[:, d:] = 0.0
        value = float(np.linalg.norm(theta, axis=1).max(initial=0.0))
    return value
