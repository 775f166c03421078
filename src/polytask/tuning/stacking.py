"""Convex combinations of models, weighed by their held-out predictions.

With held-out linear predictors F (N, c) of c models, the weights of all tasks minimize

    sum_j omega_j loss(y_j, F_j a)   over the simplex a >= 0, sum a = 1,

averaged over Bayesian bootstrap draws; with the squared loss omega also holds the inverse of the
task's noise. Those of task i start from them: with the quadratic model of the loss there, Gram
matrix G_i = sum_j h_j F_j F_j' and its own minimizer a_i*, they minimize

    n_i (a - a_i*)' G_i (a - a_i*) + tau (a - a0)' G_i (a - a0)   over the simplex,

so that tau is the number of rows that the common weights a0 count for. tau is chosen on held-out
rows, and infinity (the same weights for all) unless a smaller one is clearly better. See Breiman,
Stacked regressions, Machine Learning 24 (1996), for non-negative weights, and Smyth, Linear models
and empirical Bayes methods, Stat. Appl. Genet. Mol. Biol. 3 (2004), for the noise of many tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.optimize import nnls

from polytask.algebra.linalg import symmetric_eigen
from polytask.data import TaskData
from polytask.responses import Loss
from polytask.tuning.content import content_of
from polytask.tuning.folds import held_out_folds
from polytask.tuning.noise import shrunk_noise
from polytask.tuning.one_class import judged_labels
from polytask.tuning.repeats import repeats

__all__ = ["HeldOut", "Stack", "common_weights", "stack", "worth"]

_TAUS = (1000.0, 300.0, 100.0, 30.0)
_LEAST_ROWS = 8  # in smaller tasks the held-out errors of one row follow from those of the others
_FOLDS = 5
_ROUNDS = 10  # Newton rounds for the weights of all tasks; the squared loss needs one
_HOPELESS = 10.0  # times the squared error of a task's best model from which one is left out there
_WORSE, _SURE = 1.5, 3.0  # with own weights: times it, if by so many standard errors over rows
_DRAWS = 30
_MANY_TASKS = 10
_CLEAR = 1.5  # standard errors over tasks by which own weights must be better than common ones
_LEAST_GAIN = 0.01  # share of the risk by which a model that must earn its place lowers it


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out predictions of c models, and what is known of their rows.

    Parameters
    ----------
    F : ndarray of shape (N, c)
        Linear predictors; NaN where a model has none. A task with a NaN does not use that model.
    y, omega, code : ndarray of shape (N,)
        Targets (`judged_labels`), weights in the risk, and task 0, ..., m - 1 of each observation.
    count : ndarray of shape (N,)
        Rows that each observation stands for.
    group, place : ndarray of shape (N,)
        Number of the rows that equal it, and place of its task, in the order of their content.
    fold : ndarray of shape (N,)
        Fold in which tau is chosen; -1 for rows that are in training always.
    spare : ndarray of shape (N,)
        Rows of the task of each beyond its coefficients, one at least: of so few more, errors left
        out are as good as one number, small by chance in a third of the tasks.
    """

    F: np.ndarray
    y: np.ndarray
    omega: np.ndarray
    code: np.ndarray
    count: np.ndarray
    group: np.ndarray
    place: np.ndarray
    fold: np.ndarray
    spare: np.ndarray

    @classmethod
    def of(cls, F: np.ndarray, data: TaskData, loss: Loss) -> HeldOut:
        """Predictions of the rows of ``data``: a row of weight 2 is the row twice."""
        s = data.sample_weight
        count = repeats(data) if (s == np.round(s)).all() else s / s.mean()
        fold = held_out_folds(data, _FOLDS).fold
        y = judged_labels(data, loss)
        content = content_of(data)
        place = content.task[data.code]
        group = content.group if data.group is None else data.group
        rows = np.bincount(data.code, count)
        spare = np.maximum(rows - data.n_coefs, 1.0)[data.code]
        return cls(F, y, data.weight, data.code, count, group, place, fold, spare)

    def subset(self, keep: np.ndarray) -> HeldOut:
        """Some of the rows."""
        return HeldOut(*(getattr(self, field.name)[keep] for field in fields(self)))

    def weighed(self, factor: np.ndarray) -> HeldOut:
        """Weights in the risk times a factor."""
        return replace(self, omega=self.omega * factor)


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


def stack(held: HeldOut, loss: Loss, m: int, own_weights: bool = True) -> Stack:
    """Weights from held-out predictions of m tasks; ``own_weights``: they may differ by task."""
    missing = np.isnan(held.F)
    usable = np.ones((m, held.F.shape[1]), dtype=bool)
    tested = ~missing.all(axis=1)  # of rows in time the first half never is
    np.logical_and.at(usable, held.code[tested], ~missing[tested])
    known = ~missing.any(axis=1)
    if held.F.shape[1] == 1 or not known.any():
        common = np.full(held.F.shape[1], 1.0 / held.F.shape[1])
        return Stack(common, _only(usable, np.tile(common, (m, 1))), np.inf)
    held = held.subset(known)
    if loss.is_quadratic:
        squares = _squares(held, m)
        usable &= squares <= _HOPELESS * squares.min(axis=1, keepdims=True)
        if own_weights:
            usable &= ~_clearly_worse(held, squares, m)
        held = held.weighed(1.0 / _noise(held, squares, m)[held.code])
    common = common_weights(held, loss)
    tau = _choose_tau(held, loss, common, usable) if own_weights else np.inf
    weights = np.tile(common, (m, 1))
    if np.isfinite(tau):
        weights = _task_weights(held, loss, common, np.array([tau]), usable)[0]
    return Stack(common, _only(usable, weights), tau)


def worth(held: HeldOut, f: np.ndarray, loss: Loss, m: int) -> tuple[float, float]:
    """What another model adds to those of ``held``: a gain less what is too little, its error.

    The gain is the fall of the held-out risk at common weights where its predictions f (N,) are
    known. It must be a hundredth of the risk to count, and beyond its standard error to be clear.
    """
    there = np.isfinite(held.F).all(axis=1) & np.isfinite(f)
    held, f = held.subset(there), f[there]
    if not len(f):
        return 0.0, np.inf
    more = replace(held, F=np.column_stack([held.F, f]))
    if loss.is_quadratic:
        noise = _noise(held, _squares(held, m), m)[held.code]
        held, more = held.weighed(1.0 / noise), more.weighed(1.0 / noise)
    without = loss.value(held.y, held.F @ common_weights(held, loss))
    gain = (1.0 - _LEAST_GAIN) * without - loss.value(held.y, more.F @ common_weights(more, loss))
    by_unit = np.bincount(_bootstrap_units(held)[0], held.omega * gain)
    return float(by_unit.sum()), float(by_unit.std() * np.sqrt(len(by_unit)))


def _squares(held: HeldOut, m: int) -> np.ndarray:
    """Sum of squared errors of each model in each task, shape (m, c)."""
    s, square = held.count, (held.y[:, None] - held.F) ** 2
    return np.stack([np.bincount(held.code, s * e, minlength=m) for e in square.T], axis=1)


def _clearly_worse(held: HeldOut, squares: np.ndarray, m: int) -> np.ndarray:
    """Where a model is far and clearly worse in a task than its best one there, shape (m, c).

    A model that suits most tasks may fail one of another unit. Equal rows count as one.
    """
    best = squares.argmin(axis=1)[held.code]
    square = (held.y[:, None] - held.F) ** 2
    more = square - np.take_along_axis(square, best[:, None], axis=1)
    rows = np.stack([held.code, held.group])
    (code, _), unit = np.unique(rows, axis=1, return_inverse=True)
    by_unit = [np.bincount(unit.ravel(), held.count * d) for d in more.T]
    spread = [np.bincount(code, d**2, minlength=m) for d in by_unit]
    clear = _SURE * np.sqrt(np.stack(spread, axis=1))
    least = squares.min(axis=1, keepdims=True)
    return np.asarray((squares > _WORSE * least) & (squares - least > clear))


def _noise(held: HeldOut, squares: np.ndarray, m: int) -> np.ndarray:
    """Squared error of each task's best model, as far as its rows tell it from other tasks'.

    Rows weigh by its inverse: else the weights of all tasks are those of the noisiest.
    """
    y, s = held.y, held.count
    rows = np.bincount(held.code, weights=s, minlength=m)
    mean_square = np.bincount(held.code, weights=s * y**2, minlength=m) / np.maximum(rows, 1.0)
    least = 1e-9 * np.maximum(mean_square, 1e-9 * mean_square.max(initial=1e-91))
    own = np.maximum(squares.min(axis=1) / np.maximum(rows, 1.0), least)
    spare = np.zeros(m)
    spare[held.code] = held.spare
    return shrunk_noise(own, spare, rows > 0)


def _only(usable: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights without models that a task cannot judge, summing to one again."""
    kept = weights * usable
    total = kept.sum(axis=1, keepdims=True)
    some = np.where(usable.any(axis=1, keepdims=True), usable, True)
    spare = some / some.sum(axis=1, keepdims=True)
    return np.where(total > 1e-12, kept / np.maximum(total, 1e-12), spare)


def common_weights(held: HeldOut, loss: Loss) -> np.ndarray:
    """Mean of the best weights over Bayesian bootstrap draws of the tasks (of rows, if few tasks).

    Where held-out rows do not tell models apart, the draws disagree and the models share.
    """
    F, omega = held.F, held.omega
    a = np.full(F.shape[1], 1.0 / F.shape[1])
    for _ in range(1 if loss.is_quadratic else _ROUNDS):
        h, pull = _quadratic(F, held.y, loss, a)
        a = _on_simplex((F * (omega * h)[:, None]).T @ F, F.T @ (omega * pull))
    h, pull = _quadratic(F, held.y, loss, a)
    unit, size = _bootstrap_units(held)
    rng = np.random.default_rng(0)
    total = np.zeros_like(a)
    for _ in range(_DRAWS):
        drawn = omega * (rng.gamma(size) / size)[unit]
        total += _on_simplex((F * (drawn * h)[:, None]).T @ F, F.T @ (drawn * pull))
    return total / _DRAWS


def _bootstrap_units(held: HeldOut) -> tuple[np.ndarray, np.ndarray]:
    """Unit of every row, and of how many draws its weight is the mean: equal rows are one unit."""
    tasks, unit = np.unique(held.place, return_inverse=True)
    if len(tasks) >= _MANY_TASKS:
        return unit, np.ones(len(tasks))
    unit = np.unique(held.group, return_inverse=True)[1]
    return unit, np.bincount(unit, weights=held.count)


def _quadratic(
    F: np.ndarray, y: np.ndarray, loss: Loss, a: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Curvature h_j of the loss at F a, and h_j times the working target."""
    f = F @ a
    h = np.maximum(loss.curvature(y, f), 1e-6)
    return h, h * f - loss.gradient(y, f)


def _task_weights(
    held: HeldOut, loss: Loss, common: np.ndarray, taus: np.ndarray, usable: np.ndarray
) -> np.ndarray:
    """Weights (number of taus, m, c) of every task on its usable models, from the rows given."""
    h, pull = _quadratic(held.F, held.y, loss, common)
    shared = _only(usable, np.tile(common, (len(usable), 1)))
    weights = np.tile(shared, (len(taus), 1, 1))
    order = np.argsort(held.code, kind="stable")
    present, first = np.unique(held.code[order], return_index=True)
    for i, rows in zip(present, np.split(order, first[1:]), strict=True):
        s, own, a0 = held.count[rows], held.F[rows][:, usable[i]], shared[i, usable[i]]
        if s.sum() < _LEAST_ROWS * (1 - 1 / _FOLDS):
            continue
        G = (own * (s * h[rows])[:, None]).T @ own
        b = own.T @ (s * pull[rows])
        share = taus[:, None] / s.sum()  # of the common weights, beside the task's own squares
        weights[:, i, usable[i]] = _on_simplex(G, (b + share * (G @ a0)) / (1.0 + share))
    return weights


def _choose_tau(held: HeldOut, loss: Loss, common: np.ndarray, usable: np.ndarray) -> float:
    """The number of rows for which common weights count, by folds inside tasks."""
    taus = np.array(_TAUS)
    gain = np.zeros((len(taus), len(held.y)))
    shared = _only(usable, np.tile(common, (len(usable), 1)))
    base = loss.value(held.y, (held.F * shared[held.code]).sum(axis=1))
    for k in np.unique(held.fold[held.fold >= 0]):
        test = held.fold == k
        if test.all():
            continue
        weights = _task_weights(held.subset(~test), loss, common, taus, usable)
        for t in range(len(taus)):
            f = (held.F[test] * weights[t, held.code[test]]).sum(axis=1)
            gain[t, test] = base[test] - loss.value(held.y[test], f)
    tasks, code = np.unique(held.code, return_inverse=True)
    by_task = np.stack([np.bincount(code, held.omega * g) for g in gain])
    total = by_task.sum(axis=1)
    error = by_task.std(axis=1) * np.sqrt(len(tasks))
    sure = total - _CLEAR * error
    return float(taus[np.argmax(sure)]) if sure.max() > 0 else np.inf


def _on_simplex(G: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The a >= 0 with sum one that minimizes a'G a / 2 - b'a; of each row where b is (k, c)."""
    values, vectors = symmetric_eigen(G)
    kept = values > 1e-12 * max(values[-1], 1e-300)
    root = np.sqrt(values[kept])
    A = root[:, None] * vectors[:, kept].T
    heavy = 1e3 * max(float(np.abs(A).max(initial=0.0)), 1e-12)  # holds the sum at one
    A = np.vstack([A, np.full(len(G), heavy)])
    targets = np.atleast_2d(b) @ vectors[:, kept] / root
    a = np.stack([nnls(A, np.append(target, heavy))[0] for target in targets])
    return (a / a.sum(axis=1, keepdims=True)).reshape(b.shape)
