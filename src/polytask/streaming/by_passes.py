"""A fit of a smooth loss to rows that are only passed over, its strengths included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.data.moment_rows import rows_of_grams
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.sources.newton_folds import FoldPoint, FoldsJob, look_at
from polytask.sources.newton_job import LossSums, NewtonJob
from polytask.sources.passes import Runner
from polytask.sources.source import ParquetSource
from polytask.streaming.newton import solve_by_passes
from polytask.streaming.quadratic_risk import (
    FoldLook,
    FoldModel,
    QuadraticRisk,
    at_levels,
    risk_at_fits,
)
from polytask.tuning import Choice, choose, one_by_one

__all__ = ["Formulas", "LossPasses", "choose_by_folds", "fit_by_passes"]

_LOOKS = 4  # times at most that strengths are chosen again, at the fits that they mean


class LossPasses:
    """Sums of the loss at Theta; the passes at zero and at the last point are not made twice.

    Parameters
    ----------
    runner : Runner
    source : ParquetSource
    job : NewtonJob
        Its ``theta`` is replaced.
    data : TaskData
        Without rows.
    counts : ndarray of shape (m,)
        Rows of each task.
    """

    def __init__(
        self, runner: Runner, source: ParquetSource, job: NewtonJob, data: TaskData,
        counts: np.ndarray,
    ) -> None:  # fmt: skip
        self.runner, self.source, self.job, self.data = runner, source, job, data
        self.omega = data.share / counts
        self._zero: LossSums | None = None
        self._last: tuple[np.ndarray, LossSums] | None = None

    def by_fold(self, theta: np.ndarray) -> LossSums:
        """Unweighted sums by task and fold."""
        if not theta.any() and self._zero is not None:
            return self._zero
        if self._last is None or not np.array_equal(self._last[0], theta):
            sums = self.runner.run(replace(self.job, theta=theta), self.source)
            self._last = (theta, sums)
            if not theta.any():
                self._zero = sums
        return self._last[1]

    def fold_models(self, at: dict[int, np.ndarray]) -> dict[int, FoldModel]:
        """The loss of each fold near its Theta."""
        job, points = self.job, [FoldPoint(theta, k) for k, theta in at.items()]
        none = np.zeros(len(job.tasks), dtype=bool)
        ask = FoldsJob((), job.tasks, job.classes, job.loss, job.intercept, job.n_folds, none)
        found = look_at(points, ask, self.runner, self.source)
        return {k: FoldModel(at[k], *sums) for k, sums in zip(at, found, strict=True)}

    def __call__(self, theta: np.ndarray) -> LossSums:
        """Sums by task, weighted as in R."""
        every = np.ones(self.job.n_folds, dtype=bool)
        return self.by_fold(theta).over_folds(every).weighted(self.omega)


@dataclass(frozen=True)
class Formulas:
    """What a formulation says: its problem at given strengths, and grids for those to choose."""

    problem: Callable[[TaskData, dict[str, Any]], Problem]
    grids: Callable[[TaskData], Mapping[str, np.ndarray]]
    loss: Loss


def fit_by_passes(
    passes: LossPasses, says: Formulas, given: dict[str, Any], tol: float, max_iter: int
) -> tuple[Solution, dict[str, Any], Choice | None]:
    """Solution, strengths, and how they were chosen.

    Strengths that are None are chosen by folds on the quadratic model of the loss that the first
    pass finds; see `QuadraticRisk`.
    """
    data = passes.data
    strengths, choice = given, None
    if any(value is None for value in given.values()):
        zero = np.zeros((data.n_tasks, data.n_coefs))
        sums, folds = passes.by_fold(zero), passes.job.n_folds
        choice = choose_by_folds(data, sums, folds, says, given, passes.fold_models)
        strengths = {name: choice.strengths[name] for name in given}
    solution = solve_by_passes(says.problem(data, strengths), passes, tol, max_iter)
    return solution, strengths, choice


def choose_by_folds(
    data: TaskData, sums: LossSums, n_folds: int, says: Formulas, given: dict[str, Any],
    look: FoldLook | None = None,
) -> Choice:  # fmt: skip
    """Strengths that are None in ``given``, by folds on the quadratic model of the loss.

    Parameters
    ----------
    data : TaskData
        Without rows.
    sums : LossSums
        Unweighted, at Theta = 0, by task and fold.
    look : callable or None
        The models of some folds at Theta of each: a pass. With it the choice is made again on the
        models at the fits that it means, as long as their held-out risk falls.
    """
    grids = says.grids(_rows(data, sums, n_folds, says))
    wanted = {name: grids[name] for name, value in given.items() if value is None}
    fixed = {name: value for name, value in given.items() if value is not None}

    def held_out(risk: QuadraticRisk, strengths: dict[str, float]) -> float:
        return risk(lambda data: says.problem(data, strengths))

    def best(risk: QuadraticRisk) -> Choice:
        return choose(one_by_one(lambda s: held_out(risk, s)), wanted, fixed)

    risk = QuadraticRisk(data, at_levels(data, sums, n_folds, says.loss))
    choice, lowest = best(risk), np.inf
    proposed = choice.strengths
    for _ in range(0 if look is None else _LOOKS):
        assert look is not None
        risk = risk_at_fits(says.problem(data, proposed), risk, sums, n_folds, look)
        found = held_out(risk, proposed)
        if found >= lowest:
            break
        again, lowest = best(risk), found
        choice = replace(again, strengths=proposed, risk=found)
        if again.strengths == proposed:
            break
        proposed = again.strengths
    return choice


def _rows(data: TaskData, at_zero: LossSums, n_folds: int, says: Formulas) -> TaskData:
    """Rows with the features' Gram matrices, of which the curvature at zero is a multiple."""
    whole = at_zero.over_folds(np.ones(n_folds, dtype=bool))
    weighted = whole.weighted(data.share / np.maximum(whole.count, 1.0))
    none = np.zeros(1)
    grams = weighted.gram / float(says.loss.curvature(none, none)[0])
    return rows_of_grams(grams, data.share, data.tasks, data.intercept)
