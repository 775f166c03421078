"""A second road to every quadratic optimum: the expanded design, solved by SVD."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import linalg

from polytask.data import TaskData, make_task_data
from polytask.data.parse import Rows
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss, Squared
from polytask.structures import Blocks, CommonDeviation


def make_data(
    X: Any,
    y: np.ndarray,
    ids: np.ndarray | None = None,
    *,
    intercept: bool = True,
    task_weight: str = "equal",
    sample_weight: np.ndarray | None = None,
) -> TaskData:
    """TaskData as an estimator with these options would make it."""
    options = SimpleNamespace(fit_intercept=intercept, task_weight=task_weight)
    return make_task_data(options, Rows(X, ids), y, None, sample_weight)  # type: ignore[arg-type]


def random_tasks(
    rng: np.random.Generator, sizes: list[int], d: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, y, ids of tasks that share most of their coefficients."""
    ids = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(ids), d))
    W = rng.normal(size=d) + 0.3 * rng.normal(size=(len(sizes), d))
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=len(sizes))[ids] + rng.normal(size=len(ids))
    return X, y, ids


def mean_regularized(
    data: TaskData,
    alpha: Any = 0.1,
    alpha_common: float = 0.0,
    alpha_intercept: float = 0.1,
    loss: Loss | None = None,
) -> Problem:
    """w_i = w0 + Δw_i everywhere."""
    p, d = data.n_coefs, data.n_features
    common, deviation = np.zeros(p), np.full(p, float(alpha_intercept))
    common[:d], deviation[:d] = alpha_common, alpha
    everywhere = np.ones(p, dtype=bool)
    return _problem(data, everywhere, everywhere, common, deviation, loss)


def single_task(
    data: TaskData, alpha: float = 0.1, alpha_intercept: float = 0.0, loss: Loss | None = None
) -> Problem:
    """Deviations only."""
    p, d = data.n_coefs, data.n_features
    ridge = np.full(p, float(alpha_intercept))
    ridge[:d] = alpha
    nowhere, everywhere = np.zeros(p, dtype=bool), np.ones(p, dtype=bool)
    return _problem(data, nowhere, everywhere, np.zeros(0), ridge, loss)


def pooled(data: TaskData, alpha: float = 0.1, loss: Loss | None = None) -> Problem:
    """A common part only."""
    p, d = data.n_coefs, data.n_features
    ridge = np.zeros(p)
    ridge[:d] = alpha
    nowhere, everywhere = np.zeros(p, dtype=bool), np.ones(p, dtype=bool)
    return _problem(data, everywhere, nowhere, ridge, np.zeros(0), loss)


def task_intercept(
    data: TaskData, alpha: float = 0.1, alpha_intercept: float = 0.1, loss: Loss | None = None
) -> Problem:
    """Common slopes and intercepts of their own."""
    p = data.n_coefs
    level = np.arange(p) == p - 1
    ridge = np.where(level, 0.0, float(alpha))
    everywhere = np.ones(p, dtype=bool)
    return _problem(data, everywhere, level, ridge, np.array([float(alpha_intercept)]), loss)


def _problem(
    data: TaskData,
    common: np.ndarray,
    deviation: np.ndarray,
    common_strength: np.ndarray,
    deviation_strength: np.ndarray,
    loss: Loss | None,
) -> Problem:
    structure = CommonDeviation(common, deviation)
    penalties = {"common": Ridge(common_strength), "deviation": Ridge(deviation_strength)}
    return Problem(data, loss or Squared(), structure, penalties)


def dense_rows(data: TaskData) -> np.ndarray:
    """Rows of all observations, read task by task."""
    blocks = [data.block(i)[0] for i in range(data.n_tasks)]
    return np.vstack([b if isinstance(b, np.ndarray) else b.toarray() for b in blocks])


def expanded(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Rows [x_common, 0, ..., x_deviation, ..., 0] and the strength of every column."""
    data, structure = problem.data, problem.structure
    assert isinstance(structure, CommonDeviation)
    rows = dense_rows(data)
    own = rows[:, structure.deviation]
    k = own.shape[1]
    blocks = np.zeros((len(rows), data.n_tasks * k))
    for i in range(data.n_tasks):
        blocks[data.code == i, i * k : (i + 1) * k] = own[data.code == i]
    strength = np.concatenate(
        [
            problem.penalties["common"].strength,
            np.tile(problem.penalties["deviation"].strength, data.n_tasks),
        ]
    )
    return np.hstack([rows[:, structure.common], blocks]), strength


def as_vector(blocks: Blocks) -> np.ndarray:
    """All coefficients, in the order of the columns of `expanded`."""
    return np.concatenate([blocks["common"], blocks["deviation"].ravel()])


def objective_at(problem: Problem, b: np.ndarray) -> float:
    """The objective of the expanded problem at coefficients b, from its definition."""
    A, strength = expanded(problem)
    risk = problem.data.weight @ problem.loss.value(problem.data.y, A @ b)
    return float(risk + strength @ b**2)


def rounding_at(problem: Problem, b: np.ndarray) -> float:
    """How far rounding of the products A b may move the squared risk there."""
    A, _ = expanded(problem)
    error = np.abs(problem.data.y - A @ b)
    return float(problem.data.weight @ (error * (np.abs(A) @ np.abs(b)))) * np.finfo(float).eps


def least_squares(problem: Problem) -> float:
    """Optimal objective by SVD of the stacked rows and penalties, columns scaled to unit norm."""
    A, strength = expanded(problem)
    root = np.sqrt(problem.data.weight)
    stacked = np.vstack([A * root[:, None], np.diag(np.sqrt(2.0 * strength))])
    target = np.concatenate([problem.data.y * root, np.zeros(len(strength))])
    scale = np.linalg.norm(stacked, axis=0)
    scale[scale == 0] = 1.0
    kept = _not_redundant(problem, len(scale))
    solved = np.zeros(len(scale))
    solved[kept] = linalg.lstsq((stacked / scale)[:, kept], target, cond=1e-14)[0]
    return objective_at(problem, solved / scale)


def _not_redundant(problem: Problem, n: int) -> np.ndarray:
    """Columns without common ones that free deviations can say as well."""
    structure = problem.structure
    assert isinstance(structure, CommonDeviation)
    free = structure.deviation.copy()
    free[structure.deviation] = problem.penalties["deviation"].strength == 0
    kept = np.ones(n, dtype=bool)
    kept[: int(structure.common.sum())] = ~free[structure.common]
    return kept
