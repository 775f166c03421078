"""Synthetic tasks, related in one of the ways that the formulations assume.

Every row is x ~ N(0, I_d). Regression: y = b_i + w_i'x + noise * N(0, 1). Classification: labels 0
and 1 with P(y = 1) = 1 / (1 + exp(-(b_i + w_i'x) / noise)). Coefficients are scaled so that w_i'x
has variance about one, whatever the number of features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from polytask.datasets.truth import Truth, draw_rows

__all__ = [
    "Sample",
    "draw_sample",
    "make_clustered_tasks",
    "make_independent_tasks",
    "make_low_rank_tasks",
    "make_outlier_tasks",
    "make_related_tasks",
]

# A long table without its target, the target, and what made them.
Sample = tuple[pd.DataFrame, np.ndarray, Truth]


def make_related_tasks(
    n_tasks: int = 20,
    n_features: int = 10,
    n_rows: int | tuple[int, int] = 20,
    *,
    deviation: float = 0.3,
    level: float = 0.0,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make tasks near a common one: w_i = w0 + deviation * u_i.

    Parameters
    ----------
    n_tasks, n_features : int
        m and d.
    n_rows : int or (low, high)
        Rows of each task, or the range (both ends included) that they are drawn from.
    deviation : float
        Size of the deviations next to the common part, which has size one. At 0 all tasks are one
        task; at 3 they have little in common.
    level : float
        Standard deviation of the tasks' intercepts b_i.
    noise : float
        See the module: larger is noisier, in regression and classification alike.
    classification : bool
        Binary labels 0 and 1 instead of numbers.
    random_state : int, RandomState or None
        An integer gives the same sample every time.

    Returns
    -------
    X : DataFrame of shape (rows of all tasks, d + 1)
        Columns x0, x1, ... and, last, `task`.
    y : ndarray of shape (rows of all tasks,)
    truth : Truth

    Examples
    --------
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=2, n_rows=4, random_state=0)
    >>> X.shape, list(X)
    ((12, 3), ['x0', 'x1', 'task'])
    """
    random = check_random_state(random_state)
    common = _unit_variance(random, n_features)
    deviations = deviation * _unit_variance(random, n_tasks, n_features)
    parts = {
        "intercept": level * random.standard_normal(n_tasks),
        "common": common,
        "deviations": deviations,
    }
    return draw_sample(common + deviations, noise, n_rows, classification, random, **parts)


def make_independent_tasks(
    n_tasks: int = 20,
    n_features: int = 10,
    n_rows: int | tuple[int, int] = 20,
    *,
    level: float = 1.0,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make tasks that have nothing in common, where learning together cannot help.

    Every w_i and every level b_i is drawn alone: a level that all tasks share is something in
    common, so at ``level=0`` a model with intercepts still gains by sharing it. Parameters and
    returns as in `make_related_tasks`.
    """
    random = check_random_state(random_state)
    coef = _unit_variance(random, n_tasks, n_features)
    intercept = level * random.standard_normal(n_tasks)
    return draw_sample(coef, noise, n_rows, classification, random, intercept=intercept)


def make_low_rank_tasks(
    n_tasks: int = 20,
    n_features: int = 20,
    n_rows: int | tuple[int, int] = 20,
    *,
    rank: int = 2,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make tasks in a small common space: w_i = P a_i, P (d, rank) with orthonormal columns.

    `truth.components` is P' (rank, d). Other parameters and returns as in `make_related_tasks`.

    Raises
    ------
    ValueError
        If `rank` is not between 1 and the smaller of `n_tasks` and `n_features`.
    """
    largest = min(n_tasks, n_features)
    if not 1 <= rank <= largest:
        raise ValueError(f"make_low_rank_tasks: rank must be in 1..{largest}; got {rank}.")
    random = check_random_state(random_state)
    P = np.linalg.qr(random.standard_normal((n_features, rank)))[0]
    coef = _unit_variance(random, n_tasks, rank) @ P.T
    return draw_sample(coef, noise, n_rows, classification, random, components=P.T)


def make_clustered_tasks(
    n_tasks: int = 20,
    n_features: int = 10,
    n_rows: int | tuple[int, int] = 20,
    *,
    n_clusters: int = 3,
    deviation: float = 0.2,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make groups of tasks: w_i is its cluster's centre plus a deviation of that relative size.

    Clusters are as equal in size as can be and in random order; `truth.labels` names the cluster
    of each task, `truth.deviations` is from its centre. Other parameters and returns as in
    `make_related_tasks`.

    Raises
    ------
    ValueError
        If `n_clusters` is not between 1 and `n_tasks`.
    """
    if not 1 <= n_clusters <= n_tasks:
        raise ValueError(
            f"make_clustered_tasks: n_clusters must be in 1..{n_tasks}; got {n_clusters}."
        )
    random = check_random_state(random_state)
    centres = _unit_variance(random, n_clusters, n_features)
    labels = random.permutation(np.arange(n_tasks) % n_clusters)
    deviations = deviation * _unit_variance(random, n_tasks, n_features)
    parts = {"deviations": deviations, "labels": labels}
    return draw_sample(centres[labels] + deviations, noise, n_rows, classification, random, **parts)


def make_outlier_tasks(
    n_tasks: int = 20,
    n_features: int = 10,
    n_rows: int | tuple[int, int] = 20,
    *,
    n_outliers: int = 2,
    deviation: float = 0.2,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make related tasks, except for a few that have nothing to do with the others.

    `truth.labels` is 1 for an outlier task, whose w_i is drawn alone with the size of the common
    part. Other parameters and returns as in `make_related_tasks`.

    Raises
    ------
    ValueError
        If `n_outliers` is not between 0 and `n_tasks`.
    """
    if not 0 <= n_outliers <= n_tasks:
        raise ValueError(
            f"make_outlier_tasks: n_outliers must be in 0..{n_tasks}; got {n_outliers}."
        )
    random = check_random_state(random_state)
    common = _unit_variance(random, n_features)
    coef = common + deviation * _unit_variance(random, n_tasks, n_features)
    labels = random.permutation(np.arange(n_tasks) < n_outliers).astype(int)
    coef[labels == 1] = _unit_variance(random, n_outliers, n_features)
    parts = {"common": common, "deviations": coef - common, "labels": labels}
    return draw_sample(coef, noise, n_rows, classification, random, **parts)


def _unit_variance(random: np.random.RandomState, *shape: int) -> np.ndarray:
    """Coefficients whose linear predictor on standard normal rows has variance about one."""
    return random.standard_normal(shape) / np.sqrt(shape[-1])


def draw_sample(
    coef: np.ndarray,
    noise: float,
    n_rows: int | tuple[int, int],
    classification: bool,
    random: np.random.RandomState,
    **parts: Any,
) -> Sample:
    """Rows of tasks with these coefficients, and what made them."""
    parts.setdefault("intercept", np.zeros(len(coef)))
    truth = Truth(coef=coef, noise=noise, **parts)
    X, y = draw_rows(truth, n_rows, classification, random)
    return X, y, truth
