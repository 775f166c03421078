"""Data drawn from the mixed model itself, and its likelihood by dense matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.data import make_task_data, read_rows, read_target
from polytask.mixed.reml import MixedModel
from polytask.models.mean_regularized import MeanRegularizedRegressor


def draw(
    rng: np.random.Generator,
    sizes: list[int],
    deviation: np.ndarray,
    common: np.ndarray,
    noise: float = 1.0,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Rows, targets and the tasks' coefficients (m, d + 1), the intercept last.

    ``deviation`` (d + 1,) are standard deviations between tasks, ``common`` (d + 1,) is w0.
    """
    d = len(common) - 1
    task = np.repeat(np.arange(len(sizes)), sizes)
    theta = common + deviation * rng.normal(size=(len(sizes), d + 1))
    x = rng.normal(size=(len(task), d))
    y = (np.column_stack([x, np.ones(len(task))]) * theta[task]).sum(axis=1)
    X = pd.DataFrame(x, columns=[f"x{k}" for k in range(d)]).assign(task=task)
    return X, y + noise * rng.normal(size=len(task)), theta


def task_data(X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray | None = None):
    """TaskData as ``alpha="reml"`` sees it."""
    estimator = MeanRegularizedRegressor("reml", task="task")
    target, names = read_target(estimator, y)
    return make_task_data(
        estimator, read_rows(estimator, X, reset=True), target, names, sample_weight
    )


def dense_deviance(
    model: MixedModel,
    X: np.ndarray,
    y: np.ndarray,
    code: np.ndarray,
    Gamma: np.ndarray,
    kappa: float | None,
) -> float:
    """Restricted deviance by N x N matrices, X (N, p) with the intercept last, Gamma in X's units.

    A random w0 has variance kappa / scale² for each slope.
    """
    same = code[:, None] == code
    V = np.eye(len(y)) + np.where(same, X @ Gamma @ X.T, 0.0)
    fixed = X
    if kappa is not None:
        slopes = X[:, :-1] / model.scale[:-1]
        V += kappa * slopes @ slopes.T
        fixed = X[:, -1:]
    U = np.linalg.solve(V, fixed)
    S = fixed.T @ U
    b = np.linalg.solve(S, U.T @ y)
    r = y - fixed @ b
    free = len(y) - fixed.shape[1]
    noise = r @ np.linalg.solve(V, r) / free
    scale = np.log(model.scale).sum() if kappa is None else 0.0  # |S| of scaled columns
    log_det = np.linalg.slogdet(V)[1] + np.linalg.slogdet(S)[1] - 2.0 * scale
    return float(free * np.log(noise) + log_det)


def restricted_likelihood(
    rows: np.ndarray, y: np.ndarray, code: np.ndarray, Sigma: np.ndarray, noise: float
) -> float:
    """Restricted log likelihood of Δw_i ~ N(0, Sigma) by V_i = noise I + X_i Sigma X_i'."""
    p = rows.shape[1]
    S, pull, rest, log_det = np.zeros((p, p)), np.zeros(p), 0.0, 0.0
    for task in np.unique(code):
        Z, v = rows[code == task], y[code == task]
        V = noise * np.eye(len(v)) + Z @ Sigma @ Z.T
        solved = np.linalg.solve(V, np.column_stack([Z, v]))
        S += Z.T @ solved[:, :p]
        pull += Z.T @ solved[:, p]
        rest += v @ solved[:, p]
        log_det += np.linalg.slogdet(V)[1]
    rest -= pull @ np.linalg.solve(S, pull)
    free = len(y) - p
    return float(-0.5 * (rest + log_det + np.linalg.slogdet(S)[1] + free * np.log(2.0 * np.pi)))


def on_slopes(kappa: float | None) -> np.ndarray | None:
    """The variance kappa for two slopes, and a free intercept; None leaves all free."""
    return None if kappa is None else np.array([kappa, kappa, np.inf])
