"""Cross-validated risk on task-aware folds, with warm starts along a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.data import Design, MomentData, TaskData
from polytask.data.folds import task_folds
from polytask.data.outputs import predictors
from polytask.data.strata import StrataData
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import select
from polytask.solvers.arrow_problem import arrow_problem, why_not_arrow
from polytask.structures import Blocks
from polytask.tuning.content import content_of
from polytask.tuning.one_class import judged_labels

__all__ = ["KFoldRisk", "content_folds", "few_labels", "fold_predictions"]

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


class KFoldRisk:
    """Held-out risk of problems over folds, each fitted from its last solution.

    Parameters
    ----------
    data : TaskData
        Rows: every task keeps some in every training part, classes are spread inside a task. Rows
        that all tasks share go to one fold, so that the parts share theirs; where every task has a
        single row, tasks are held out. Or moments that were kept by fold: their held-out squared
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
        self._starts: list[Blocks | None] = [None] * len(self.parts)

    def __call__(self, make: Callable[[TaskData], Problem]) -> float:
        """Weighted mean of loss(y_j, f_j) over held-out rows, y as `judged_labels`.

        Infinite where there is none.
        """
        total = 0.0
        for k, part in enumerate(self.parts):
            problem = make(part.train)
            coefs = self._coefs(problem, part, k)
            if isinstance(problem.source, StrataData):
                total += problem.source.held_out(self.data, coefs)
                continue
            f = predictors(part.design, coefs)
            y = judged_labels(self.data, problem.loss)[part.held] if part.y is None else part.y
            total += float(part.weight @ problem.loss.value(y, f))
        return total / self.weight if self.weight > 0 else np.inf

    def _coefs(self, problem: Problem, part: _Part, k: int) -> np.ndarray:
        """Those without a fold: in closed form, or from the last ones at other strengths."""
        if isinstance(self.data, MomentData) and why_not_arrow(problem) is None:
            factor = arrow_problem(problem).factor_grams(part.train.grams)
            step = factor.solve(problem.structure.adjoint(part.slope, problem.zeros()))
            return -problem.structure.assemble(step)
        found = select(problem).solve(problem, self._starts[k], self.tol, self.max_iter)
        self._starts[k] = found.blocks
        return found.coefs


def _of_rows(data: TaskData, n_splits: int) -> tuple[list[_Part], float]:
    """Folds of rows, and what all that is held out weighs."""
    fold = content_folds(data, n_splits)
    if data.n_tasks > 1 and (fold < 0).all():  # what tasks share predicts them
        fold = content_of(data).task[data.code] % n_splits
    parts = []
    for held in [fold == k for k in range(n_splits) if (fold == k).any()]:
        train, design = data.subset(~held), data.design.subset(held)
        parts.append(_Part(train, design, data.weight[held], held))
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

    Only rows of their task are held out too, each with one of the folds.
    """
    fold = content_folds(data, n_splits)
    fold = np.where(fold < 0, content_of(data).task[data.code] % n_splits, fold)
    f = np.empty(len(data.y))
    for k in np.unique(fold):
        problem = make(data.subset(fold != k))
        coefs = select(problem).solve(problem, None, tol, max_iter).coefs
        f[fold == k] = data.subset(fold == k).design.predict(coefs)
    return f


def content_folds(data: TaskData, n_splits: int) -> np.ndarray:
    """Fold of every observation: classes spread in each task, shared rows whole in one fold.

    Rows are dealt in the order of their content (`polytask.tuning.content`), and equal rows of a
    task stay together. So the folds depend on nothing else: not on the order of rows or columns,
    their units, the names of tasks, nor on the last bit; and a row of weight 2 is the row twice.
    -1 where a task has one row, or equal ones only.
    """
    if data.design.shared:
        n = int(data.sizes[0])
        group = content_of(data, features_only=True).group[:n]
        fold = _deal(group, np.zeros(n, dtype=int), None, n_splits)
        return np.tile(fold, data.n_tasks)
    content = content_of(data)
    classes = data.y if np.isin(data.y, (0.0, 1.0)).all() else None
    return _deal(content.group, content.task[data.code], classes, n_splits)


def _deal(
    group: np.ndarray, code: np.ndarray, labels: np.ndarray | None, n_splits: int
) -> np.ndarray:
    _, first, at = np.unique(group, return_index=True, return_inverse=True)
    chosen = None if labels is None else labels[first]
    return task_folds(code[first], n_splits, 0, labels=chosen)[at]
