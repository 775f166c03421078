"""How the rows of Parquet files reach a model: at once, or as sums over them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from polytask.data import TaskMoments, all_or_nothing, callers_level, read_target
from polytask.data.frames import frame_columns
from polytask.data.many import MOST_NUMBERS, summed_up
from polytask.data.task_spec import spelled_out
from polytask.models.estimator import TaskEstimator
from polytask.responses import Response
from polytask.solvers import one_blas_thread

if TYPE_CHECKING:
    from polytask.sources.passes import Progress, Runner
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.source import ParquetSource, Paths
    from polytask.sources.survey import Survey

__all__ = ["ParquetDoor", "sums_are_enough"]


def sums_are_enough(estimator: ParquetDoor) -> bool:
    """Whether moments say all that the loss needs of the rows."""
    loss = estimator._loss()
    if not loss.is_quadratic:
        raise AttributeError(
            f"{type(estimator).__name__}: loss must be 'squared' to fit from moments, which say no "
            f"more of the rows; got {loss.name!r}. Use fit for rows in memory."
        )
    return True


def _learns_in_parts(estimator: ParquetDoor) -> bool:
    """Whether moments of the columns as they come serve; curves are of columns made of them."""
    as_they_come = type(estimator)._read_columns is not ParquetDoor._read_columns
    return as_they_come and sums_are_enough(estimator)


class ParquetDoor(TaskEstimator):
    """`fit_parquet`, to `fit` where rows are few, else to `_fit_sums`; `partial_fit`; moments."""

    _several: ClassVar[bool] = False  # whether its task may be of several columns
    sums_by_fold: ClassVar[bool] = True  # say all of fits without a fold, where sums are enough
    fit: Any
    fit_moments: Any
    task: Any

    def _loss(self) -> Response:
        """The response that the user asked for."""
        raise NotImplementedError

    def _why_not_sums(self, tasks: np.ndarray | None = None, n_features: int = 1) -> str | None:
        """None, or why sums over the rows are not enough, to follow "where"."""
        raise NotImplementedError

    def _why_not_weighted_sums(self) -> str | None:
        """None, or why sums over rows that have weights are not enough, to follow "where"."""
        alpha = getattr(self, "alpha", None)
        by_likelihood = isinstance(alpha, str) and alpha != "cv"
        if by_likelihood and getattr(self, "weights", "count") == "precision":
            return "weights are precisions, which a likelihood asks of single rows"
        return None

    def _why_not_passed_over(
        self, tasks: np.ndarray, n_features: int = 1, *, weighted: bool
    ) -> str | None:
        """None, or why sums over rows, which may have weights, are not enough."""
        reason = self._why_not_sums(tasks, n_features)
        return reason or (self._why_not_weighted_sums() if weighted else None)

    def _must_choose(self) -> bool:
        """Whether a strength is left to held-out risks."""
        return False

    def _read_columns(self, X: Any, reset: bool) -> None:
        """Learn the names of columns, or refuse others than those."""
        raise NotImplementedError

    def _n_folds(self) -> int:
        """Of moments that strengths are chosen by; one where none are."""
        return 1

    def _fit_sums(self, source: ParquetSource, runner: Runner, survey: Survey) -> Any:
        """Fit to sums over the rows, which ``survey`` has counted."""
        raise NotImplementedError

    @available_if(_learns_in_parts)
    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Add rows to those seen by earlier calls, and fit to all of them; tasks may be new.

        The rows are not kept, only their moments (`moments_`), so a call costs the sums over its
        rows and one solve, whatever came before. With ``alpha="cv"`` strengths are chosen anew by
        5-fold cross-validation.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self

        Warns
        -----
        UserWarning
            After `fit`, which keeps no moments: the call then starts anew from its own rows.
        """
        self._validate_params()
        if not self._several and len(spelled_out(self.task, frame_columns(X))) > 1:
            raise ValueError(
                f"{type(self).__name__}: task must be one column for partial_fit; got "
                f"{self.task!r}. MultilevelRegressor learns from several."
            )
        before: TaskMoments | None = getattr(self, "moments_", None)
        if before is None and hasattr(self, "coef_"):
            warnings.warn(
                f"{type(self).__name__}: partial_fit starts anew from these rows, because fit "
                "keeps no moments of its own. To add to earlier rows, pass them to partial_fit "
                "as well.",
                UserWarning,
                stacklevel=callers_level(),
            )
        self._read_columns(X, reset=before is None)
        target, _ = read_target(self, y)
        target = y if target.ndim == 2 else target  # with the names of its columns
        if before is not None:
            return self.fit_moments(before.extended(X, target, sample_weight))
        return self.fit_moments(
            TaskMoments.from_rows(
                X, target, task=self.task, sample_weight=sample_weight, n_folds=self._n_folds()
            )
        )

    @all_or_nothing
    def fit_parquet(
        self, path: Paths, *, target: str, features: Sequence[str] | None = None,
        weights: str | None = None, prepare: StreamPreparer | None = None, client: Any = None,
        batch_rows: int = 1 << 17, progress: Progress | None = None,
    ) -> Any:  # fmt: skip
        """Fit to Parquet files: the same answer as `fit` on their rows, in bounded memory.

        Files of at most ten million numbers (rows times columns), or of fewer than twice the sums
        in their place would be, are read once and fitted as `fit` does. Larger ones are summed up:
        the squared loss reads tasks and labels, then everything once, others everything once more
        for every Newton step. Strengths are then chosen by 5 folds, as `fit` chooses them from so
        many rows and on the same folds: exactly for the squared loss, for others by the quadratic
        models at fits without each fold, which take passes of their own, shared by the folds.

        Parameters
        ----------
        path : path or list of paths
            Parquet files, or directories of them. The task column is the estimator's ``task``.
        target : str
            Target column.
        features : sequence of str or None
            Feature columns; None is every column but the task, the target and the weights.
        weights : str or None
            Column of numbers, zero or more: ``sample_weight`` of `fit`. Rows of weight zero are
            left out before anything is learned.
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
            If columns are absent or hold missing values, a weight is negative, or the rows are too
            many for a model that sums over them do not serve, with what to do.
        """
        self._validate_params()
        from polytask.sources.first_pass import prepared
        from polytask.sources.runners import make_runner
        from polytask.sources.source import ParquetSource

        source = ParquetSource.open(
            path, task=self.task, target=target, features=features, weights=weights,
            batch_rows=batch_rows, several=self._several,
        )  # fmt: skip
        runner = make_runner(client, progress)
        with one_blas_thread():
            source = prepared(source, runner, prepare)
            return self._fit_source(source, runner)

    def _fit_source(self, source: ParquetSource, runner: Runner) -> Any:
        """Fit to prepared files: to their rows, or to sums over many rows."""
        from polytask.sources.held import read_rows_of
        from polytask.sources.survey import SurveyJob

        n, d = source.n_rows, len(source.features)
        if not summed_up(n, d, 1):
            return self.fit(*read_rows_of(source, runner))
        survey = runner.run(SurveyJob(self._loss()), source)
        tally = survey.tally()
        n, tasks = int(tally.rows.sum()), tally.ids  # without those of weight zero
        if not summed_up(n, d, len(tasks)):
            return self.fit(*read_rows_of(source, runner))
        reason = self._why_not_passed_over(tasks, d, weighted=source.weights is not None)
        if reason is not None:
            raise ValueError(
                f"{type(self).__name__}: fit_parquet must be given fewer rows where {reason}: it "
                f"holds up to {MOST_NUMBERS:,} numbers in memory; got {n:,} rows of {d} features. "
                "Fit to a sample of them."
            )
        return self._fit_sums(source, runner, survey)

    def _check_moments(self, moments: TaskMoments, task: Any) -> None:
        name = type(self).__name__
        if not isinstance(moments, TaskMoments):
            raise TypeError(
                f"{name}: moments must be TaskMoments; got {type(moments).__name__}. Make them "
                "with TaskMoments.from_batches, or use fit for rows."
            )
        if isinstance(moments.task, tuple) and not self._several:
            raise ValueError(
                f"{name}: moments must be of one task column; got {moments.task!r}. "
                "MultilevelRegressor learns from several."
            )
        if moments.task != task:
            raise ValueError(
                f"{name}: moments must be made with the estimator's task; got task="
                f"{moments.task!r} in the moments and {task!r} here. Set task="
                f"{moments.task!r}."
            )
        if moments.wide and not (moments.counts > 0).all():
            empty = moments.tasks[moments.counts <= 0].tolist()[:5]
            raise ValueError(
                f"{name}: y must have at least one measured value in every column; column(s) "
                f"{empty} have none. Drop them."
            )

    def _expect(self, columns: Sequence[str] | None, n: int) -> None:
        """What `predict` is to find in X."""
        self.n_features_in_ = n
        if columns is not None:
            self.feature_names_in_ = np.array(columns, dtype=object)
