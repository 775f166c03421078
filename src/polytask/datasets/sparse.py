"""Synthetic tasks of which few features matter, to all or to some, for good or until a change.

Rows and targets are drawn as in `polytask.datasets.synthetic`.
"""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from polytask.datasets.synthetic import Sample, draw_sample

__all__ = ["make_changing_tasks", "make_sparse_tasks"]


def make_sparse_tasks(
    n_tasks: int = 20,
    n_features: int = 20,
    n_rows: int | tuple[int, int] = 20,
    *,
    n_shared: int = 3,
    n_own: int = 0,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make tasks to which the same few features matter, and to each a few of its own beside.

    Features 0 to ``n_shared - 1`` matter to all tasks; each task draws ``n_own`` of the others.
    Coefficients that are not zero lie between half and one and a half of their mean size, of either
    sign; `truth.coef` has exact zeros. Other parameters and returns as in `make_related_tasks`.

    Raises
    ------
    ValueError
        If there are fewer features than that.

    Examples
    --------
    >>> from polytask.datasets import make_sparse_tasks
    >>> X, y, truth = make_sparse_tasks(4, 6, n_shared=2, n_own=1, random_state=0)
    >>> (truth.coef != 0).sum(axis=1).tolist()
    [3, 3, 3, 3]
    """
    if min(n_shared, n_own) < 0 or n_shared + n_own > n_features:
        raise ValueError(
            f"make_sparse_tasks: n_shared + n_own must be in 0..{n_features}, the number of "
            f"features; got {n_shared} + {n_own}."
        )
    random = check_random_state(random_state)
    used = np.zeros((n_tasks, n_features), dtype=bool)
    used[:, :n_shared] = True
    for task in used:
        task[n_shared + random.permutation(n_features - n_shared)[:n_own]] = True
    coef = used * _sizes(random, n_tasks, n_features) / np.sqrt(max(n_shared + n_own, 1))
    return draw_sample(coef, noise, n_rows, classification, random)


def make_changing_tasks(
    n_tasks: int = 20,
    n_features: int = 10,
    n_rows: int | tuple[int, int] = 20,
    *,
    n_changes: int = 2,
    n_shared: int = 3,
    noise: float = 0.5,
    classification: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Sample:
    """Make ordered tasks whose coefficients are the same but for a few changes along the way.

    Features 0 to ``n_shared - 1`` matter; at a change all of their coefficients are drawn anew.
    `truth.labels` counts the changes up to each task. Other parameters and returns as in
    `make_related_tasks`.

    Raises
    ------
    ValueError
        If there are not so many places for a change.

    Examples
    --------
    >>> from polytask.datasets import make_changing_tasks
    >>> X, y, truth = make_changing_tasks(6, 4, n_changes=1, random_state=1)
    >>> truth.labels.tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if not 0 <= n_changes < n_tasks or not 0 <= n_shared <= n_features:
        raise ValueError(
            f"make_changing_tasks: n_changes must be in 0..{n_tasks - 1} and n_shared in "
            f"0..{n_features}; got {n_changes} and {n_shared}."
        )
    random = check_random_state(random_state)
    places = 1 + random.permutation(n_tasks - 1)[:n_changes]
    labels = np.isin(np.arange(n_tasks), places).cumsum()
    levels = _sizes(random, n_changes + 1, n_features) * (np.arange(n_features) < n_shared)
    coef = levels[labels] / np.sqrt(max(n_shared, 1))
    return draw_sample(coef, noise, n_rows, classification, random, labels=labels)


def _sizes(random: np.random.RandomState, *shape: int) -> np.ndarray:
    """Numbers of either sign, away from zero."""
    return random.choice([-1.0, 1.0], shape) * random.uniform(0.5, 1.5, shape)
