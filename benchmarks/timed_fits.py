"""Sizes, single tasks and joint fits that `table.py` and `growth.py` time.

STL is ridge regression per task: batched Gram matrices and LAPACK solves in numpy, one BLAS
thread, from the rows to the coefficients: the cheapest job that does no sharing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import harness  # noqa: F401, sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
import pandas as pd
from scipy.special import expit

from polytask import MeanRegularizedRegressor
from polytask.data import Rows, TaskData, make_task_data
from polytask.penalties import Ridge as RidgePenalty
from polytask.problem import Problem
from polytask.responses import Loss, Squared
from polytask.solvers import Solution, one_blas_thread, select
from polytask.structures import CommonDeviation
from polytask.tuning import LeaveOneOut, deviation_grid

SIZES = {
    "small": (139, 28, (110, 110)),
    "medium": (1000, 100, (50, 200)),
    "many": (20_000, 30, (30, 30)),
    "tall": (50, 50, (20_000, 20_000)),
    "wide": (20, 5000, (100, 100)),
}


def make(size: str, seed: int, full: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, targets and task codes: planted rank 4 plus a shared mean, correlated features."""
    if size == "school":
        return school()
    rng = np.random.default_rng(seed)
    m, d, (low, high) = SIZES[size]
    if size == "tall" and full:
        low = high = 100_000
    n = rng.integers(low, high + 1, m)
    code = np.repeat(np.arange(m), n)
    X = rng.standard_normal((n.sum(), d))
    X[:, 1:] += 0.5 * X[:, :-1]
    W = rng.normal(size=(m, 4)) @ rng.normal(size=(4, d)) / np.sqrt(d) + rng.normal(size=d)
    y = np.einsum("nd,nd->n", X, W[code]) if n.sum() * d < 1e8 else X @ W.mean(axis=0)
    return X, y + rng.standard_normal(len(y)), code


def school() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The School data, features standardized."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / "school" / "data.parquet"
    if not path.exists():
        sys.exit("school: ../shared/data/school is not here")
    frame = pd.read_parquet(path)
    X = frame.drop(columns=["task", "target"]).to_numpy(float)
    keep = X.std(axis=0) > 0
    X = (X[:, keep] - X[:, keep].mean(axis=0)) / X[:, keep].std(axis=0)
    return X, frame["target"].to_numpy(float), np.unique(frame["task"], return_inverse=True)[1]


def single_task(X: np.ndarray, y: np.ndarray, start: np.ndarray, alpha: float) -> np.ndarray:
    """Ridge per task: the reference. Tasks of one size go through batched routines."""
    m, d = len(start) - 1, X.shape[1]
    sizes = np.diff(start)
    if sizes.max() < d:  # in the space of the rows
        W = np.empty((m, d))
        for i in range(m):
            Z, t = X[start[i] : start[i + 1]], y[start[i] : start[i + 1]]
            W[i] = Z.T @ np.linalg.solve(Z @ Z.T + alpha * np.eye(len(Z)), t)
        return W
    if (sizes == sizes[0]).all() and sizes[0] < 1000:
        Z = X.reshape(m, sizes[0], d)
        G, r = Z.transpose(0, 2, 1) @ Z, Z.transpose(0, 2, 1) @ y.reshape(m, -1, 1)
    else:
        G, r = np.empty((m, d, d)), np.empty((m, d, 1))
        for i in range(m):
            Z = X[start[i] : start[i + 1]]
            G[i], r[i, :, 0] = Z.T @ Z, Z.T @ y[start[i] : start[i + 1]]
    G[:, np.arange(d), np.arange(d)] += alpha
    return np.linalg.solve(G, r)[:, :, 0]


def single_task_logistic(data: TaskData, ridge: float, steps: int = 6) -> np.ndarray:
    """Newton's method for every task alone, in batches: what STL is for classes."""
    rows, d = data.design, data.n_coefs
    W = np.zeros((data.n_tasks, d))
    for _ in range(steps):
        p = expit(rows.predict(W))
        H = rows.grams(p * (1.0 - p))
        H[:, np.arange(d), np.arange(d)] += ridge
        W -= np.linalg.solve(H, (rows.adjoint(p - data.y) + ridge * W)[:, :, None])[:, :, 0]
    return W


def task_data(X: np.ndarray, y: np.ndarray, code: np.ndarray) -> TaskData:
    """Without an intercept, as the reference."""
    settings = SimpleNamespace(fit_intercept=False, task_weight="equal")
    return make_task_data(settings, Rows(X, code), y, None, None)


def problem(data: TaskData, alpha: float, common: float, loss: Loss | None = None) -> Problem:
    """Mean-regularized, squared loss unless another is given."""
    d = data.n_coefs
    everywhere = np.ones(d, dtype=bool)
    penalties = {
        "common": RidgePenalty(np.full(d, common)),
        "deviation": RidgePenalty(np.full(d, alpha)),
    }
    return Problem(data, loss or Squared(), CommonDeviation(everywhere, everywhere), penalties)


def fit(data: TaskData, alpha: float, common: float, loss: Loss | None = None) -> Solution:
    """One joint fit from the rows."""
    fresh = task_data(data.design.X, data.y, data.code)  # nothing cached
    with one_blas_thread():
        asked = problem(fresh, alpha, common, loss)
        return select(asked).solve(asked, None, 1e-8, 100)


def path(data: TaskData, common: float, n: int = 50) -> None:
    """Leave-one-out risk at n strengths, exact at every one."""
    fresh = task_data(data.design.X, data.y, data.code)
    with one_blas_thread():
        alphas = deviation_grid(fresh, Squared(), n, decades=4.0)
        LeaveOneOut().risks([problem(fresh, float(alpha), common) for alpha in alphas])


def tuned(data: TaskData) -> None:
    """A default fit: intercepts, three strengths by leave-one-out."""
    MeanRegularizedRegressor(task=0).fit(np.column_stack([data.code, data.design.X]), data.y)
