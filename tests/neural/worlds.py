"""Small data for the neural tests, and networks that reach their optimum."""

import numpy as np
import pandas as pd

# A full batch, double precision and L-BFGS: the optimum to many digits.
EXACT = {
    "optimizer": "lbfgs", "batch_size": None, "dtype": "float64", "early_stopping": False,
    "max_iter": 5000, "tol": 1e-9, "random_state": 0,
}  # fmt: skip
# The same for networks that are not convex: few iterations, before rounding errors grow.
FEW = {**EXACT, "max_iter": 30}
UNFINISHED = "ignore:.*the training loss still fell"


def long_table(n_tasks=4, rows=(5, 12, 20, 9), d=3, seed=0, classes=False):
    """A long table with a text task column, tasks of unequal size."""
    rng = np.random.default_rng(seed)
    sizes = [rows[i % len(rows)] for i in range(n_tasks)]
    ids = np.repeat([f"t{i:02d}" for i in range(n_tasks)], sizes)
    X = pd.DataFrame(rng.normal(size=(len(ids), d)), columns=[f"x{j}" for j in range(d)])
    W = rng.normal(size=d) + 0.5 * rng.normal(size=(n_tasks, d))
    code = np.repeat(np.arange(n_tasks), sizes)
    z = (X.to_numpy() * W[code]).sum(axis=1) + 0.3 * code
    y = z + 0.2 * rng.normal(size=len(z))
    return X.assign(task=ids), (y > np.median(y)).astype(int) if classes else y


def wide_table(n=40, m=3, d=3, missing=0.3, seed=0):
    """Shared rows, a column per task, holes in Y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Y = np.tanh(X @ rng.normal(size=(d, m))) + 0.1 * rng.normal(size=(n, m))
    Y[rng.uniform(size=Y.shape) < missing] = np.nan
    return X, Y
