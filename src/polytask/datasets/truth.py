"""What a generator knows and an estimator has to find, and how rows are drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from polytask.data import stack_tasks

__all__ = ["Truth", "draw_rows", "draw_sizes", "frame_of"]


@dataclass(frozen=True)
class Truth:
    """The parameters that made a synthetic sample; m tasks, d features.

    Attributes
    ----------
    coef : ndarray of shape (m, d)
        The true W, one row per task.
    intercept : ndarray of shape (m,)
        The true level of each task.
    noise : float
        Regression: standard deviation of the noise. Classification: scale of the logistic noise.
    common : ndarray of shape (d,), optional
        What the tasks share, where the generator has such a part.
    deviations : ndarray of shape (m, d), optional
        ``coef - common``.
    components : ndarray of shape (k, d), optional
        Orthonormal rows that span the space of all tasks, where it is smaller than d.
    labels : ndarray of shape (m,), optional
        Cluster of each task, or 1 for an outlier task and 0 for the others.

    Examples
    --------
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=4, n_features=3, random_state=0)
    >>> truth.coef.shape, truth.tasks.tolist()
    ((4, 3), [0, 1, 2, 3])
    """

    coef: np.ndarray
    intercept: np.ndarray
    noise: float
    common: np.ndarray | None = None
    deviations: np.ndarray | None = None
    components: np.ndarray | None = None
    labels: np.ndarray | None = None

    @property
    def tasks(self) -> np.ndarray:
        """Ids of the tasks, shape (m,), in the order of the rows of `coef`."""
        return np.arange(len(self.coef))


def draw_sizes(
    n_rows: int | Sequence[int], n_tasks: int, random: np.random.RandomState
) -> np.ndarray:
    """Rows of each task: `n_rows` for all, or uniform on low..high (both included)."""
    if isinstance(n_rows, int):
        return np.full(n_tasks, n_rows)
    low, high = n_rows
    return random.randint(low, high + 1, size=n_tasks)


def draw_rows(
    truth: Truth,
    n_rows: int | Sequence[int],
    classification: bool,
    random: np.random.RandomState,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw a long table whose rows follow the truth: x standard normal, y linear plus noise."""
    tasks = {}
    sizes = draw_sizes(n_rows, len(truth.coef), random)
    for task, w, b, size in zip(truth.tasks, truth.coef, truth.intercept, sizes, strict=True):
        X = random.standard_normal((size, len(w)))
        noise = random.logistic(size=size) if classification else random.standard_normal(size)
        y = X @ w + b + truth.noise * noise
        tasks[int(task)] = (frame_of(X), (y > 0).astype(int) if classification else y)
    return stack_tasks(tasks)


def frame_of(X: ArrayLike) -> pd.DataFrame:
    """Name the columns of an array x0, x1, ..."""
    X = np.asarray(X)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
