"""Cross-validated risk on task-aware folds, with warm starts along a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from polytask.data import Design, MomentData, TaskData
from polytask.data.folds import task_folds
from polytask.data.held_rows import Folds, group_folds, later_folds
from polytask.data.outputs import predictors
from polytask.data.strata import StrataData
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import select
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.structures import Blocks
from polytask.tuning.content import content_of
from polytask.tuning.one_class import judged_labels

__all__ = ["KFoldRisk", "few_labels", "fold_predictions", "held_out_folds"]

_ZERO = 1e-12  # strength that is as good as none
_HOPELESS, _TELLING = 1.5, 100  # times the least loss on the same rows; rows that tell
_FEW = 5.0  # rows of the rarest class in the average task: fewer are few


@dataclass(frozen=True, eq=False)
class _Part:
    """What a fold is trained on, and what is held out."""

    train: TaskData
    design: Design
    weight: np.ndarray  # (n,) of the rows held out
    held: np.ndarray | None = None  # (N,) which they are
    y: np.ndarray | None = None  # (n,) or, of moments, their targets

    @cached_property
    def slope(self) -> np.ndarray:
        """The gradient of the training part's squared risk at zero."""
        return -self.train.design.adjoint(self.train.weight * self.train.y)


@dataclass(frozen=True, eq=False)
class _Fits:
    """Fits without each fold, at strengths, and the losses of what was held out."""

    at: Mapping[str, float] = field(default_factory=dict)
    blocks: dict[int, Blocks] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def distance(self, at: Mapping[str, float] | None) -> float:
        """Of other strengths, in logarithms; infinite where they are not known."""
        if not at or not self.at:
            return np.inf
        return float(sum(abs(np.log((at[s] + _ZERO) / (self.at[s] + _ZERO))) for s in at))


class KFoldRisk:
    """Held-out risk of problems over folds, each fitted from its last solution.

    Parameters
    ----------
    data : TaskData
        Rows: every task keeps some in every training part, classes are spread inside a task. Rows
        that all tasks share go to one fold, so that the parts share theirs, and so do rows of a
        group; rows in time are held out from earlier ones. Where every task has a single row, tasks
        are held out. Or moments that were kept by fold: their held-out squared
        risk is exact, and no row is needed.
    n_splits : int
        Folds of rows.
    tol, max_iter : float, int
        Passed to the solver.
    """

    def __init__(self, data: TaskData, n_splits: int, tol: float, max_iter: int) -> None:
        self.parts, self.weight = (
            _of_moments(data) if isinstance(data, MomentData) else _of_rows(data, n_splits)
        )
        self.data, self.tol, self.max_iter = data, tol, max_iter
        self._last, self._best = _Fits(), _Fits()

    def __call__(
        self, make: Callable[[TaskData], Problem], at: Mapping[str, float] | None = None
    ) -> float:
        """Weighted mean of loss(y_j, f_j) over held-out rows, y as `judged_labels`.

        Infinite where there is none. Fits start at the last ones. Where the strengths ``at``
        which they are made are known, at those of least risk if they are nearer; and folds
        that show half as much risk again as the least are enough to tell how much it is.
        """
        nearer = self._best if self._best.distance(at) < self._last.distance(at) else self._last
        fits, best, rows = _Fits(at or {}, dict(nearer.blocks)), self._best.losses, 0
        for k, part in enumerate(self.parts):
            fits.losses.append(self._held_out(make(part.train), part, k, fits.blocks))
            rows += len(part.weight)
            least = sum(best[: k + 1])
            if at and rows >= _TELLING and 0 < _HOPELESS * least < sum(fits.losses):
                return sum(fits.losses) / least * sum(best) / self.weight
        self._last, total = fits, sum(fits.losses)
        if not best or total < sum(best):
            self._best = fits
        return total / self.weight if self.weight > 0 else np.inf

    def _held_out(self, problem: Problem, part: _Part, k: int, blocks: dict[int, Blocks]) -> float:
        """The loss of a fold on coefficients without it, from the last ones in ``blocks``."""
        coefs = self._coefs(problem, part, k, blocks)
        if isinstance(problem.source, StrataData):
            return problem.source.held_out(self.data, coefs)
        f = predictors(part.design, coefs)
        y = judged_labels(self.data, problem.loss)[part.held] if part.y is None else part.y
        return float(part.weight @ problem.loss.value(y, f))

    def _coefs(
        self, problem: Problem, part: _Part, k: int, blocks: dict[int, Blocks]
    ) -> np.ndarray:
        """Those without a fold: in closed form, or from the last ones at other strengths."""
        if isinstance(self.data, MomentData) and why_not_arrow(problem) is None:
            factor = arrow_problem(problem).factor_grams(part.train.grams)
            step = factor.solve(problem.structure.adjoint(part.slope, problem.zeros()))
            return -problem.structure.assemble(step)
        found = select(problem).solve(problem, blocks.get(k), self.tol, self.max_iter)
        blocks[k] = found.blocks
        return found.coefs


def _of_rows(data: TaskData, n_splits: int) -> tuple[list[_Part], float]:
    """Folds of rows, and what all that is held out weighs."""
    folds = held_out_folds(data, n_splits)
    if data.n_tasks > 1 and (folds.fold < 0).all():  # what tasks share predicts them
        folds = Folds(content_of(data).task[data.code] % n_splits)
    parts = []
    for trained, held in folds.parts():
        train, design = data.subset(trained), data.design.subset(held)
        weight = data.weight[held]
        if folds.ordered:  # a task may begin later
            weight = np.where((train.sizes > 0)[data.code[held]], weight, 0.0)
        parts.append(_Part(train, design, weight, held))
    if folds.ordered and not any(part.weight.any() for part in parts):
        raise ValueError(
            "time must leave later rows of tasks that have earlier ones; no task of the later half "
            "of the rows is in the earlier half. Count each task's time from its own start."
        )
    return parts, sum(float(part.weight.sum()) for part in parts)


def _of_moments(data: MomentData) -> tuple[list[_Part], float]:
    parts = [_Part(train, test.design, test.weight, y=test.y) for train, test in data.parts()]
    counts = data.moments.sums[:, :, 0, 0]
    share = data.share / np.maximum(counts.sum(axis=1), 1e-300)
    known = counts.sum(axis=1, keepdims=True) > counts  # predicted by other folds
    return parts, float((share[:, None] * np.where(known, counts, 0.0)).sum()) if parts else 0.0


def few_labels(data: TaskData, loss: Loss) -> bool:
    """Whether tasks have so few rows of the rarest class that one of them decides a fit.

    Without its only positive row a task's fit is far from the one with it, farther than the one
    Newton step of the approximate leave-one-out goes; folds refit.
    """
    if not loss.has_labels:
        return False
    counts = np.bincount(data.y.astype(int), data.sample_weight, minlength=2)
    return bool(counts.min() < _FEW * data.n_tasks)


def fold_predictions(
    data: TaskData, make: Callable[[TaskData], Problem], n_splits: int, tol: float, max_iter: int
) -> np.ndarray:
    """Linear predictor of every observation from the fit without its fold, shape (N,).

    Only rows of their task are held out too, each with one of the folds; but of rows in time, those
    that are in training always have no prediction, NaN.
    """
    folds = held_out_folds(data, n_splits)
    if not folds.ordered:
        place = content_of(data).task[data.code] % n_splits
        folds = Folds(np.where(folds.fold < 0, place, folds.fold))
    f = np.full(len(data.y), np.nan)
    for trained, held in folds.parts():
        problem = make(data.subset(trained))
        coefs = select(problem).solve(problem, None, tol, max_iter).coefs
        f[held] = data.design.subset(held).predict(coefs)
    return f


def held_out_folds(data: TaskData, n_splits: int) -> Folds:
    """Fold of every observation: classes spread in each task, shared rows whole in one fold.

    Rows are dealt in the order of their content (`polytask.tuning.content`), and equal rows of a
    task stay together. So the folds depend on nothing else: not on the order of rows or columns,
    their units, the names of tasks, nor on the last bit; and a row of weight 2 is the row twice.
    -1 where a task has one row, or equal ones only. Groups stay whole as well; rows that have a
    time are dealt by it alone.
    """
    if data.time is not None:
        return Folds(later_folds(data.time, n_splits), ordered=True)
    classes = data.y if np.isin(data.y, (0.0, 1.0)).all() else None
    if data.group is not None:
        group = _by_content(data, data.group)
        code = content_of(data).task[data.code]
        return Folds(group_folds(code, group, n_splits, 0, classes))
    if data.design.shared:
        n = int(data.sizes[0])
        group = content_of(data, features_only=True).group[:n]
        fold = _deal(group, np.zeros(n, dtype=int), None, n_splits)
        return Folds(np.tile(fold, data.n_tasks))
    content = content_of(data)
    return Folds(_deal(content.group, content.task[data.code], classes, n_splits))


def _by_content(data: TaskData, group: np.ndarray) -> np.ndarray:
    """The groups, numbered in the order of the mean place of their rows."""
    place = np.bincount(group, data.sample_weight * content_of(data).group)
    weight = np.bincount(group, data.sample_weight)
    mean = place / np.where(weight > 0, weight, 1.0)
    return np.asarray(np.argsort(np.argsort(mean, kind="stable"))[group])


def _deal(
    group: np.ndarray, code: np.ndarray, labels: np.ndarray | None, n_splits: int
) -> np.ndarray:
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    chosen = None if labels is None else labels[first]
    return task_folds(code[first], n_splits, 0, labels=chosen)[at]
