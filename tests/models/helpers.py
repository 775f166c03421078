"""Tables of related tasks for the estimators' tests."""

import numpy as np

from tests.solvers.helpers import random_tasks

STEMS = ["SingleTask", "Pooled", "TaskIntercept", "MeanRegularized"]
ROLES = ["Regressor", "Classifier"]


def long_table(
    role: str = "Regressor", sizes: tuple[int, ...] = (12, 30, 5, 20), d: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(Z, y) with the task in column 0 of Z."""
    rng = np.random.default_rng(seed)
    X, y, ids = random_tasks(rng, list(sizes), d)
    order = rng.permutation(len(y))
    Z = np.column_stack([ids, X])[order]
    y = y[order]
    return Z, y if role == "Regressor" else (y + rng.normal(size=len(y)) > 0).astype(int)
