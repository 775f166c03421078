"""What joint learning costs in fits of single tasks, the cheapest job that does no sharing.

    python benchmarks/frontier.py [--sizes small,medium,many,tall,wide,school] [--repeats 5]
                                  [--seed 0] [--full] [--out FILE.json]

STL is ridge regression per task: batched Gram matrices and LAPACK solves in numpy, one BLAS
thread, from the rows to the coefficients. Every figure is a ratio to it, taken in turns in one
run. `--full` makes the tall size as in the goals (50 tasks of 100,000 rows: 2 GB).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import harness  # sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import Ridge

import polytask
from polytask import MeanRegularizedRegressor
from polytask.data import Rows, TaskData, make_task_data
from polytask.losses import Logistic, Loss, Squared
from polytask.penalties import Ridge as RidgePenalty
from polytask.problem import Problem
from polytask.solvers import one_blas_thread, select
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


def fit(data: TaskData, alpha: float, common: float, loss: Loss | None = None) -> float:
    """One joint fit from the rows; returns its KKT violation."""
    fresh = task_data(data.design.X, data.y, data.code)  # nothing cached
    with one_blas_thread():
        asked = problem(fresh, alpha, common, loss)
        return select(asked).solve(asked, None, 1e-8, 100).violation


def path(data: TaskData, common: float, n: int = 50) -> None:
    """Leave-one-out risk at n strengths, exact at every one."""
    fresh = task_data(data.design.X, data.y, data.code)
    with one_blas_thread():
        alphas = deviation_grid(fresh, 1.0, n, decades=4.0)
        LeaveOneOut().risks([problem(fresh, float(alpha), common) for alpha in alphas])


def tuned(data: TaskData) -> None:
    """A default fit: intercepts, three strengths by leave-one-out."""
    MeanRegularizedRegressor(task=0).fit(np.column_stack([data.code, data.design.X]), data.y)


def expanded(X: np.ndarray, y: np.ndarray, code: np.ndarray, alpha: float) -> None:
    """scikit-learn's ridge on [x, 0 … x … 0], the road without a library."""
    from scipy import sparse

    N, d = X.shape
    columns = code[:, None] * d + np.arange(d)
    own = sparse.csr_matrix(
        (X.ravel(), columns.ravel(), np.arange(0, N * d + 1, d)), shape=(N, d * (code[-1] + 1))
    )
    Ridge(alpha=alpha, fit_intercept=False, solver="lsqr", tol=1e-6).fit(
        sparse.hstack([sparse.csr_matrix(X), own]).tocsr(), y
    )


def measure(size: str, seed: int, repeats: int, full: bool) -> list[dict[str, object]]:
    X, y, code = make(size, seed, full)
    data = task_data(X, y, code)
    X, y, start = np.asarray(data.design.X), data.y, data.start
    m, mean_rows = data.n_tasks, len(y) / data.n_tasks
    alpha = 1.0 / (m * mean_rows)
    common = alpha if size == "wide" else 0.0
    violation = fit(data, alpha, common)
    contestants = {
        "STL": lambda: single_task(X, y, start, 2.0),
        "joint fit": lambda: fit(data, alpha, common),
    }
    if size in ("small", "school"):
        contestants["scikit-learn, expanded design"] = lambda: expanded(X, y, data.code, 2.0)
    seconds = harness.alternate(contestants, repeats)
    rows = _rows(size, "STL", seconds)
    rows[1]["violation"] = f"{violation:.0e}"
    if size != "wide":
        few = {"STL": contestants["STL"], "path of 50": lambda: path(data, common)}
        if size in ("small", "medium", "school"):
            few["tuned fit"] = lambda: tuned(data)
        rows += _rows(size, "STL", harness.alternate(few, max(1, repeats // 3)))[1:]
    if size in ("small", "medium"):
        rows += logistic(size, data, alpha, max(1, repeats // 2))
    return rows


def logistic(size: str, data: TaskData, alpha: float, repeats: int) -> list[dict[str, object]]:
    """Classes y > its median: a joint fit against Newton's method in each task."""
    classes = replace(data, y=(data.y > np.median(data.y)).astype(float))
    contestants = {
        "STL, logistic": lambda: single_task_logistic(classes, 2.0),
        "joint fit, logistic": lambda: fit(classes, alpha, 0.0, Logistic()),
    }
    rows = _rows(size, "STL, logistic", harness.alternate(contestants, repeats))
    rows[1]["violation"] = f"{fit(classes, alpha, 0.0, Logistic()):.0e}"
    return rows


def _rows(size: str, reference: str, seconds: dict[str, float]) -> list[dict[str, object]]:
    return [
        {"size": size, "work": work, "ms": 1e3 * taken, "x STL": taken / seconds[reference]}
        for work, taken in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="small,medium,many,tall,wide,school")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--out", default=None)
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []
    for size in asked.sizes.split(","):
        rows += measure(size, asked.seed, asked.repeats, asked.full)
    print(f"polytask {polytask.__version__}, {os.cpu_count()} cores, seed {asked.seed}\n")
    print(harness.table(rows))
    if asked.out:
        Path(asked.out).write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
