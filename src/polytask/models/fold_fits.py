"""Several estimators fitted without each fold of Parquet files, and on everything."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone, is_classifier

from polytask.data import TaskData
from polytask.solvers import Solution, one_blas_thread

if TYPE_CHECKING:
    from polytask.sources.newton_job import LossSums
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource
    from polytask.tuning import Choice

__all__ = ["EVERYTHING", "FoldFit", "fit_folds"]

EVERYTHING = -1  # the fold that a fit to all rows leaves out
Key = tuple[str, int]


@dataclass(eq=False)
class FoldFit:
    """One estimator without one fold.

    Parameters
    ----------
    model : estimator
        Fitted, unless there is a ``reason``.
    seconds : float
        Without the passes over the rows, which all fits share.
    reason : str
        Why the fit failed, else "".
    warnings : tuple of str
    """

    model: Any
    seconds: float = 0.0
    reason: str = ""
    warnings: tuple[str, ...] = field(default=())

    @contextmanager
    def working(self) -> Iterator[None]:
        """Takes note of the time, of warnings, and of an error, which ends this fit only."""
        begun = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except (ValueError, np.linalg.LinAlgError) as error:
                self.reason = f"{type(error).__name__}: {error}"
        self.seconds += time.perf_counter() - begun
        told = (f"{w.category.__name__}: {w.message}" for w in caught)
        self.warnings = tuple(dict.fromkeys([*self.warnings, *told]))


def fit_folds(
    estimators: Mapping[str, Any], source: ParquetSource, runner: Runner, counts: np.ndarray,
    tasks: np.ndarray, classes: np.ndarray | None, n_folds: int,
) -> dict[Key, FoldFit]:  # fmt: skip
    """A fit of every estimator without each fold, and to all rows (the fold `EVERYTHING`).

    Strengths are chosen by the folds that a fit may see. Squared losses need one pass over the
    rows for all fits together; others a pass for every Newton step, which all fits share too.

    Parameters
    ----------
    estimators : mapping of str to estimator
        With `fit_moments` (regressors) or `fit_parquet` (classifiers).
    source : ParquetSource
    counts, tasks : ndarray of shape (m,)
        Tasks, sorted, and their rows. A task of one row is in training always.
    classes : ndarray of shape (2,) or None
        For classifiers.
    """
    with one_blas_thread():
        if any(is_classifier(estimator) for estimator in estimators.values()):
            assert classes is not None
            work = _Passes(source, runner, tasks, counts, classes, n_folds)
            return work.fit(estimators)
        return _by_moments(estimators, source, runner, counts == 1, n_folds)


def _by_moments(
    estimators: Mapping[str, Any], source: ParquetSource, runner: Runner, always: np.ndarray,
    n_folds: int,
) -> dict[Key, FoldFit]:  # fmt: skip
    from polytask.sources.moments import moments_of

    moments = moments_of(source, runner, n_folds)
    fits: dict[Key, FoldFit] = {}
    for k in (EVERYTHING, *range(n_folds)):
        part = moments if k == EVERYTHING else moments.without_fold(k, always)
        for name, estimator in estimators.items():
            fit = fits[name, k] = FoldFit(clone(estimator))
            with fit.working():
                fit.model.fit_moments(part)
                del fit.model.moments_
    return fits


class _Passes:
    """Classifiers: the passes are shared by all estimators and folds."""

    def __init__(
        self, source: ParquetSource, runner: Runner, tasks: np.ndarray, counts: np.ndarray,
        classes: np.ndarray, n_folds: int,
    ) -> None:  # fmt: skip
        self.source, self.runner = source, runner
        self.tasks, self.classes, self.n_folds = tasks, classes, n_folds
        self.always = counts == 1
        self.zero: dict[bool, LossSums] = {}  # with an intercept, and without

    def fit(self, estimators: Mapping[str, Any]) -> dict[Key, FoldFit]:
        """All of them; a pass serves all fits that have not ended."""
        from polytask.sources.newton_folds import FoldPoint

        runs = {
            (name, k): _Run(self, clone(estimator), k)
            for name, estimator in estimators.items()
            for k in (EVERYTHING, *range(self.n_folds))
        }
        for intercept in (True, False):
            asking = {
                key: run for key, run in runs.items() if run.fit.model.fit_intercept is intercept
            }
            if asking:
                self.zero[intercept] = self._look_at_zero(intercept)
            for run in asking.values():
                run.begin()
            while asking := {key: run for key, run in asking.items() if run.theta is not None}:
                points = [FoldPoint(run.theta, key[1]) for key, run in asking.items()]  # type: ignore[arg-type]
                for run, sums in zip(asking.values(), self._look(points, intercept), strict=True):
                    run.go_on(sums)
        return {key: run.fit for key, run in runs.items()}

    def _look_at_zero(self, intercept: bool) -> LossSums:
        from polytask.sources.newton_job import NewtonJob

        theta = np.zeros((len(self.tasks), len(self.source.features) + intercept))
        job = NewtonJob(theta, self.tasks, self.classes, _loss(), intercept, self.n_folds)
        found: LossSums = self.runner.run(job, self.source)
        return found

    def _look(self, points: list[Any], intercept: bool) -> list[LossSums]:
        from polytask.sources.newton_folds import FoldsJob, look_at

        job = FoldsJob(
            (), self.tasks, self.classes, _loss(), intercept, self.n_folds, self.always
        )  # fmt: skip
        return [outside for outside, _ in look_at(points, job, self.runner, self.source)]


class _Run:
    """One fit, which asks for sums at a point and is given them."""

    def __init__(self, passes: _Passes, model: Any, fold: int) -> None:
        self.passes, self.fold, self.fit = passes, fold, FoldFit(model)
        self.theta: np.ndarray | None = None  # where it wants to know the sums; None at the end

    def begin(self) -> None:
        """Strengths, and the first step: what is known at zero serves both."""
        with self.fit.working():
            self._choose()
            self._advance(next(self.steps))

    def go_on(self, sums: LossSums) -> None:
        """Another step."""
        self.theta = None
        with self.fit.working():
            self._send(sums)

    def _choose(self) -> None:
        from polytask.streaming.by_passes import choose_by_folds
        from polytask.streaming.newton import newton_steps, shell

        passes, model = self.passes, self.fit.model
        sums, folds = passes.zero[model.fit_intercept], passes.n_folds
        if self.fold != EVERYTHING:
            sums, folds = sums.without(self.fold, folds, passes.always), folds - 1
        self.at_zero = sums.over_folds(np.ones(folds, dtype=bool))
        counts = self.at_zero.count
        columns = passes.source.model_columns
        n_coefs = len(passes.source.features) + model.fit_intercept
        self.data = shell(passes.tasks, model._shares(counts), n_coefs, model.fit_intercept)
        self.omega = self.data.share / np.maximum(counts, 1.0)
        model._expect(columns)
        says, self.strengths = model._formulas(), model._given()
        self.choice: Choice | None = None
        if any(value is None for value in self.strengths.values()):
            self.choice = choose_by_folds(self.data, sums, folds, says, self.strengths)
            self.strengths = {name: self.choice.strengths[name] for name in self.strengths}
        problem = says.problem(self.data, self.strengths)
        self.steps = newton_steps(problem, model.tol, model.max_iter)

    def _advance(self, theta: np.ndarray) -> None:
        """Zero is known; other points are asked for."""
        if theta.any():
            self.theta = theta
        else:
            self._send(self.at_zero)

    def _send(self, sums: LossSums) -> None:
        try:
            theta = self.steps.send(sums.weighted(self.omega))
        except StopIteration as done:
            self._end(done.value, self.data)
        else:
            self._advance(theta)

    def _end(self, solution: Solution, data: TaskData) -> None:
        columns = self.passes.source.model_columns
        self.fit.model._take(
            columns, self.passes.classes, solution, data, self.strengths, self.choice
        )  # fmt: skip


def _loss() -> Any:
    from polytask.responses import Logistic

    return Logistic()
