"""Fits to Parquet files that are larger than memory, in one process or on a Dask cluster."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from polytask.data import all_or_nothing, forget, task_shares
from polytask.data.moment_rows import rows_of_grams
from polytask.models.from_moments import FOLDS, FromMoments
from polytask.models.labels import encode_labels
from polytask.solvers import one_blas_thread, select

if TYPE_CHECKING:
    from polytask.problem import Problem
    from polytask.solvers import Solution
    from polytask.sources.passed import Passed
    from polytask.sources.passes import Progress, Runner
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.source import ParquetSource, Paths
    from polytask.tuning import Choice

__all__ = ["ClassifierFromParquet", "RegressorFromParquet", "make_runner"]


class FromParquet:
    """`fit_parquet`: what both roles share."""

    @all_or_nothing
    def fit_parquet(
        self: Any,
        path: Paths,
        *,
        target: str,
        features: Sequence[str] | None = None,
        prepare: StreamPreparer | None = None,
        client: Any = None,
        batch_rows: int = 1 << 17,
        progress: Progress | None = None,
    ) -> Any:
        """Fit to Parquet files without loading them: the same answer as `fit` on their rows.

        A regressor reads the files once. A classifier reads its tasks and classes, then the files
        once for every Newton step. Memory does not grow with the files.

        ``alpha="cv"`` is answered by 5-fold cross-validation: exactly and in the same pass for the
        squared loss. For the logistic loss by the quadratic models at fits without each fold,
        which take passes of their own, shared by the folds (about as many again as the fit).

        Parameters
        ----------
        path : path or list of paths
            Parquet files, or directories of them. The task column is the estimator's ``task``.
        target : str
            Target column.
        features : sequence of str or None
            Feature columns; None is every column but the task and the target.
        prepare : StreamPreparer or None
            Scales numbers and encodes categories; fitted in a first pass unless it already is.
            `predict` then wants ``prepare.transform(X)``. None wants numbers without gaps.
        client : dask.distributed.Client, False or None
            The cluster that works on the partitions. None is the active client if there is one,
            False is this process.
        batch_rows : int
            Rows in memory at a time (and in every worker).
        progress : callable or None
            Told ``(what, rows done, rows in all)``.

        Returns
        -------
        self
            Unchanged if reading fails or is interrupted.

        Raises
        ------
        ValueError
            If columns are absent or hold missing values, with what to do.
        """
        self._validate_params()
        from polytask.sources.first_pass import prepared
        from polytask.sources.source import ParquetSource

        source = ParquetSource.open(
            path, task=self.task, target=target, features=features, batch_rows=batch_rows,
        )  # fmt: skip
        runner = make_runner(client, progress)
        with one_blas_thread():
            source = prepared(source, runner, prepare)
            return self._fit_source(source, runner)

    def _expect(self: Any, columns: tuple[str, ...]) -> None:
        """What `predict` is to find in X."""
        self._wide = False
        self.n_features_in_ = len(columns)
        self.feature_names_in_ = np.array(columns, dtype=object)


class RegressorFromParquet(FromParquet, FromMoments):
    """Squared loss: moments in one pass."""

    def _fit_source(self: Any, source: ParquetSource, runner: Runner) -> Any:
        from polytask.sources.moments import moments_of

        moments = moments_of(source, runner, FOLDS if self._must_choose() else 1)
        self.fit_moments(moments)
        del self.moments_  # read_moments and fit_moments keep them
        return self


class ClassifierFromParquet(FromParquet):
    """Logistic loss: a pass for every Newton step."""

    def _fit_source(self: Any, source: ParquetSource, runner: Runner) -> Any:
        from polytask.sources.moments import moments_of
        from polytask.sources.passed import Passed
        from polytask.sources.survey import SurveyJob

        survey = runner.run(SurveyJob(), source)
        labels = np.array(sorted(survey.labels, key=str))
        classes, _ = encode_labels(type(self).__name__, labels)
        source = replace(source, classes=tuple(classes.tolist()))
        plain = clone(self)  # self is not touched before there is an answer
        plain._expect(source.model_columns)
        given = plain._given()
        folds = FOLDS if any(value is None for value in given.values()) else 1
        moments = moments_of(source, runner, folds)
        share = self._shares(moments.counts)
        passed = Passed.of_moments(runner, source, moments, share, self.fit_intercept)
        strengths, choice = plain._choose_by_passes(passed)
        problem = self._make_problem(passed, self._loss(), strengths)
        solution = select(problem).solve(problem, None, self.tol, self.max_iter)
        return self._take(source.model_columns, classes, solution, passed, strengths, choice)

    def _choose_by_passes(
        self: Any, passed: Passed, looks: int | None = None
    ) -> tuple[dict[str, Any], Choice | None]:
        """Strengths, and how they were chosen."""
        from polytask.tuning.quadratic import choose_on_models

        given, loss = self._given(), self._loss()
        fixed = {name: value for name, value in given.items() if value is not None}
        if len(fixed) == len(given):
            return given, None
        rows = rows_of_grams(passed.grams, passed.share, passed.tasks, passed.intercept)
        grids = self._grids(rows, loss)
        wanted = {name: grids[name] for name in given if name not in fixed}
        limit = {} if looks is None else {"looks": looks}

        def make(strengths: dict[str, Any]) -> Problem:
            problem: Problem = self._make_problem(passed, loss, strengths)
            return problem

        choice = choose_on_models(passed, loss, make, wanted, fixed, **limit)
        return {name: choice.strengths[name] for name in given}, choice

    def _shares(self: Any, counts: np.ndarray) -> np.ndarray:
        """Share of each task in R; tasks without rows have none."""
        return task_shares(counts, getattr(self, "_weight_rule", self.task_weight))

    def _take(
        self: Any, columns: tuple[str, ...], classes: np.ndarray, solution: Solution,
        passed: Passed, strengths: dict[str, Any], choice: Choice | None,
    ) -> Any:  # fmt: skip
        """Fitted attributes of what the passes found."""
        forget(self)
        self._expect(columns)
        self.classes_, self.response_ = classes, self._loss()
        if choice is not None:
            self.alpha_path_, self.cv_scores_ = choice.path, -choice.risks
        self._keep(solution, passed, strengths)
        return self


def make_runner(client: Any, progress: Callable[[str, int, int], None] | None) -> Runner:
    """The cluster that was given or is active, or this process."""
    if client is None and "distributed" in sys.modules:
        client = importlib.import_module("polytask.sources.dask.active").active_client()
    if client is None or client is False:
        from polytask.sources.passes import SerialRunner

        return SerialRunner(progress)
    runner = importlib.import_module("polytask.sources.dask.runner")
    return runner.DaskRunner(client, progress)
