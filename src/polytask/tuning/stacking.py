"""Convex combinations of models, weighed by their held-out predictions.

With held-out linear predictors F (N, c) of c models, the weights of all tasks minimize

    sum_j omega_j loss(y_j, F_j a)   over the simplex a >= 0, sum a = 1,

averaged over Bayesian bootstrap draws; with the squared loss omega also holds the inverse of the
task's noise. Those of task i start from them: with the quadratic model of the loss there, Gram
matrix G_i = sum_j h_j F_j F_j' and its own minimizer a_i*, they minimize

    n_i (a - a_i*)' G_i (a - a_i*) + tau (a - a0)' G_i (a - a0)   over the simplex,

so that tau is the number of rows that the common weights a0 count for. tau is chosen on held-out
rows, and infinity (the same weights for all) unless a smaller one is clearly better. See Breiman,
Stacked regressions, Machine Learning 24 (1996), for non-negative weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from polytask.data.folds import task_folds
from polytask.losses import Loss

__all__ = ["Stack", "stack"]

_TAUS = (1000.0, 300.0, 100.0, 30.0)
_LEAST_ROWS = 8  # in smaller tasks the held-out errors of one row follow from those of the others
_FOLDS = 5
_ROUNDS = 10  # Newton rounds for the weights of all tasks; the squared loss needs one
_NOISE_ROWS = 3
_DRAWS = 30
_MANY_TASKS = 10
_CLEAR = 1.5  # standard errors over tasks by which own weights must be better than common ones


@dataclass(frozen=True, eq=False)
class Stack:
    """Weights of models.

    Parameters
    ----------
    common : ndarray of shape (c,)
    weights : ndarray of shape (m, c)
    tau : float
        Rows that the common weights count for; infinite where tasks have no weights of their own.
    """

    common: np.ndarray
    weights: np.ndarray
    tau: float


def stack(
    F: np.ndarray,
    y: np.ndarray,
    omega: np.ndarray,
    code: np.ndarray,
    loss: Loss,
    m: int,
    own_weights: bool = True,
) -> Stack:
    """Weights from held-out predictions.

    Parameters
    ----------
    F : ndarray of shape (N, c)
        Held-out linear predictors; NaN where a model has none. A task with a NaN does not use
        that model.
    y, omega, code : ndarray of shape (N,)
        Targets, weights in the risk, and task 0, ..., m - 1 of each observation.
    own_weights : bool
        Whether tasks may move from the common weights.
    """
    missing = np.isnan(F)
    usable = np.ones((m, F.shape[1]), dtype=bool)
    np.logical_and.at(usable, code, ~missing)
    known = ~missing.any(axis=1)
    if F.shape[1] == 1 or not known.any():
        common = np.full(F.shape[1], 1.0 / F.shape[1])
        return Stack(common, _only(usable, np.tile(common, (m, 1))), np.inf)
    F, y, omega, code = F[known], y[known], omega[known], code[known]
    if loss.constant_curvature:
        omega = omega / _noise(F, y, code, m)[code]
    common = _common_weights(F, y, omega, code, loss)
    tau = _choose_tau(F, y, omega, code, loss, common) if own_weights else np.inf
    weights = np.tile(common, (m, 1))
    if np.isfinite(tau):
        weights = _task_weights(F, y, code, loss, common, np.array([tau]), m)[0]
    return Stack(common, _only(usable, weights), tau)


def _noise(F: np.ndarray, y: np.ndarray, code: np.ndarray, m: int) -> np.ndarray:
    """Squared error of each task's best model, moved towards the mean of tasks.

    Rows weigh by its inverse: else the weights of all tasks are those of the noisiest.
    """
    squares = [np.bincount(code, weights=(y - f) ** 2, minlength=m) for f in F.T]
    total = np.min(squares, axis=0)
    mean = max(float(total.sum()), 1e-9 * float(y @ y), 1e-100) / len(y)
    noise: np.ndarray = (total + _NOISE_ROWS * mean) / (
        np.bincount(code, minlength=m) + _NOISE_ROWS
    )
    return noise


def _only(usable: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights without models that a task cannot judge, summing to one again."""
    kept = weights * usable
    total = kept.sum(axis=1, keepdims=True)
    some = np.where(usable.any(axis=1, keepdims=True), usable, True)
    spare = some / some.sum(axis=1, keepdims=True)
    return np.where(total > 1e-12, kept / np.maximum(total, 1e-12), spare)


def _common_weights(
    F: np.ndarray, y: np.ndarray, omega: np.ndarray, code: np.ndarray, loss: Loss
) -> np.ndarray:
    """Mean of the best weights over Bayesian bootstrap draws of the tasks (of rows, if few tasks).

    Where held-out rows do not tell models apart, the draws disagree and the models share.
    """
    a = np.full(F.shape[1], 1.0 / F.shape[1])
    for _ in range(1 if loss.constant_curvature else _ROUNDS):
        h, pull = _quadratic(F, y, loss, a)
        a = _on_simplex((F * (omega * h)[:, None]).T @ F, F.T @ (omega * pull))
    h, pull = _quadratic(F, y, loss, a)
    unit = code if len(np.unique(code)) >= _MANY_TASKS else np.arange(len(y))
    rng = np.random.default_rng(0)
    total = np.zeros_like(a)
    for _ in range(_DRAWS):
        drawn = omega * rng.exponential(size=unit.max() + 1)[unit]
        total += _on_simplex((F * (drawn * h)[:, None]).T @ F, F.T @ (drawn * pull))
    return total / _DRAWS


def _quadratic(
    F: np.ndarray, y: np.ndarray, loss: Loss, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Curvature h_j of the loss at F a, and h_j times the working target."""
    f = F @ a
    h = np.maximum(loss.curvature(y, f), 1e-6)
    return h, h * f - loss.gradient(y, f)


def _task_weights(
    F: np.ndarray,
    y: np.ndarray,
    code: np.ndarray,
    loss: Loss,
    a0: np.ndarray,
    taus: np.ndarray,
    m: int,
) -> np.ndarray:
    """Weights (number of taus, m, c) of every task, from the rows given."""
    h, pull = _quadratic(F, y, loss, a0)
    weights = np.tile(a0, (len(taus), m, 1))
    order = np.argsort(code, kind="stable")
    present, first = np.unique(code[order], return_index=True)
    for i, rows in zip(present, np.split(order, first[1:]), strict=True):
        if len(rows) < _LEAST_ROWS * (1 - 1 / _FOLDS):
            continue
        own = F[rows]
        G = (own * h[rows, None]).T @ own
        b = own.T @ pull[rows]
        for t, tau in enumerate(taus):
            share = tau / len(rows)
            weights[t, i] = _on_simplex((1.0 + share) * G, b + share * (G @ a0))
    return weights


def _choose_tau(
    F: np.ndarray,
    y: np.ndarray,
    omega: np.ndarray,
    code: np.ndarray,
    loss: Loss,
    a0: np.ndarray,
) -> float:
    """The number of rows for which common weights count, by folds inside tasks."""
    taus = np.array(_TAUS)
    m = int(code.max()) + 1
    fold = task_folds(code, _FOLDS, np.random.default_rng(0))
    gain = np.zeros((len(taus), len(y)))
    base = loss.value(y, F @ a0)
    for k in range(_FOLDS):
        train, test = fold != k, fold == k
        if not test.any() or not train.any():
            continue
        weights = _task_weights(F[train], y[train], code[train], loss, a0, taus, m)
        for t in range(len(taus)):
            f = (F[test] * weights[t, code[test]]).sum(axis=1)
            gain[t, test] = base[test] - loss.value(y[test], f)
    by_task = np.stack([np.bincount(code, omega * g, minlength=m) for g in gain])
    total = by_task.sum(axis=1)
    error = by_task.std(axis=1) * np.sqrt(m)
    sure = total - _CLEAR * error
    return float(taus[np.argmax(sure)]) if sure.max() > 0 else np.inf


def _on_simplex(G: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The a >= 0 with sum one that minimizes a'G a / 2 - b'a."""
    values, vectors = np.linalg.eigh(G)
    kept = values > 1e-12 * max(values[-1], 1e-300)
    root = np.sqrt(values[kept])
    A = root[:, None] * vectors[:, kept].T
    target = (vectors[:, kept].T @ b) / root
    heavy = 1e3 * max(float(np.abs(A).max(initial=0.0)), 1e-12)  # holds the sum at one
    a, _ = nnls(np.vstack([A, np.full(len(b), heavy)]), np.append(target, heavy))
    return a / a.sum()
