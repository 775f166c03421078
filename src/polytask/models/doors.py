"""How rows reach a linear model: as a table, as moments, in batches, in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if

from polytask.data import (
    MomentData,
    Oracle,
    TaskData,
    TaskMoments,
    all_or_nothing,
    forget,
    make_task_data,
    read_rows,
    read_target,
    task_shares,
)
from polytask.data.many import FOLD_SEED, FOLDS
from polytask.models.labels import encode_labels
from polytask.models.parquet_door import ParquetDoor, sums_are_enough
from polytask.models.steps import fit_steps, with_callbacks
from polytask.solvers import one_blas_thread

if TYPE_CHECKING:
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource
    from polytask.sources.survey import Survey

__all__ = ["Doors"]


class Doors(ParquetDoor):
    """`fit`, `fit_moments`, `partial_fit` and `fit_parquet`: each ends in `_fit_data`."""

    task: str | int | None
    fit_intercept: bool
    task_weight: str
    moments_: TaskMoments

    # What a model says.

    def _fit_data(self, source: Oracle) -> Any:
        """Fit to whoever holds the rows."""
        raise NotImplementedError

    def _encode(self, y: np.ndarray) -> np.ndarray:
        """Targets as numbers."""
        raise NotImplementedError

    def _check_data(self, data: TaskData) -> None:
        """Refuse data that the role cannot learn from."""

    def _must_choose(self) -> bool:
        """Whether a strength is left to held-out risks."""
        raise NotImplementedError

    @property
    def _weight_rule(self) -> str:
        """Weighting of tasks in R."""
        return self.task_weight

    # The doors.

    @all_or_nothing
    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Fit to a long table with a task column, or to a wide y with a column per task.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : array of shape (n,), or of shape (n, m) with ``task=None``
            Targets. In a wide y NaN means not measured.
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
            Weights of rows inside their task; zero leaves a row out.
        groups : array of shape (n,), optional
            Who each row is of, such as a patient: rows of one are held out together where strengths
            are chosen.
        time : array of shape (n,), optional
            When each row was, numbers or dates: strengths are then chosen by how later rows are
            predicted from earlier ones. Not with ``groups``.

        Returns
        -------
        self
        """
        self._validate_params()
        forget(self)
        rows = [read_rows(self, X, reset=True, split=True)]  # which nobody holds below
        target, names = read_target(self, y)
        self._wide = target.ndim == 2
        data = make_task_data(
            self, rows.pop(), self._encode(target), names, sample_weight,
            center=True, groups=groups, time=time,
        )  # fmt: skip
        self._check_data(data)
        with one_blas_thread(), fit_steps(self, 3, X, y):
            self._fit_data(data)
        return self

    @available_if(sums_are_enough)
    @all_or_nothing
    def fit_moments(self, moments: TaskMoments) -> Any:
        """Fit to moments: the same answer as `fit` on the rows that they were made of.

        The KKT violation and the objective that are reported are computed from the moments.

        Parameters
        ----------
        moments : TaskMoments
            Made with this estimator's ``task``. For ``alpha="cv"`` they must hold folds
            (``n_folds=5``): strengths are then chosen by K-fold cross-validation, which moments
            allow exactly, where `fit`, up to some ten million numbers, uses leave-one-out or, of
            norms, folds that it deals by what rows hold.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the moments were made with another task column, or hold no folds for "cv".
        """
        self._validate_params()
        self._check_moments(moments, self.task)
        forget(self)
        self._expect(moments.columns, moments.n_features + (moments.task is not None))
        self._wide = moments.wide
        if self._must_choose() and moments.n_folds < 2:
            raise ValueError(
                f"{type(self).__name__}: alpha='cv' must have moments by fold; got n_folds="
                f"{moments.n_folds}. Leave-one-out needs the rows: make the moments with "
                "n_folds=5, or give every strength a number."
            )
        with one_blas_thread():
            self._fit_data(self._moment_data(moments))
        self.moments_ = moments
        return self

    def _read_columns(self, X: Any, reset: bool) -> None:
        read_rows(self, X, reset=reset)

    def _n_folds(self) -> int:
        return FOLDS if self._must_choose() else 1

    def _fit_sums(self, source: ParquetSource, runner: Runner, survey: Survey) -> Any:
        from polytask.sources.moments import moments_of
        from polytask.sources.passed import Passed

        classes, pair = None, ()
        if self._loss().has_labels:
            classes, _ = encode_labels(type(self).__name__, survey.labels)
            pair = tuple(classes.tolist())
            source = replace(source, classes=pair)
        self._begin(source.model_columns, classes)
        folds = FOLDS if self._must_choose() else 1
        if folds > 1:
            source = source.dealt(survey.tally(pair), pair, folds, FOLD_SEED)
        moments = moments_of(source, runner, folds)
        if self._loss().is_quadratic:
            return self._fit_data(self._moment_data(moments))
        share = task_shares(moments.counts, self._weight_rule)
        return self._fit_data(Passed.of_moments(runner, source, moments, share, self.fit_intercept))

    def _begin(self, columns: Sequence[str], classes: np.ndarray | None) -> None:
        """What a fit to files knows before it sees rows."""
        forget(self)
        self._expect(columns, len(columns))
        self._wide = False
        if classes is not None:
            self.classes_ = classes

    def _moment_data(self, moments: TaskMoments) -> MomentData:
        return MomentData.make(moments, intercept=self.fit_intercept, task_weight=self._weight_rule)
