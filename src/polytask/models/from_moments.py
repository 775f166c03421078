"""Regressors from moments: rows may be elsewhere, gone, or still to come."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from polytask.data import (
    MomentData,
    TaskMoments,
    all_or_nothing,
    callers_level,
    forget,
    read_rows,
    read_target,
)
from polytask.solvers import one_blas_thread

__all__ = ["FOLDS", "FromMoments"]

FOLDS = 5  # kept where a strength is to be chosen


def _sums_are_enough(estimator: Any) -> bool:
    """Whether moments say all that the loss needs of the rows."""
    loss = estimator._loss()
    if not loss.is_quadratic:
        raise AttributeError(
            f"{type(estimator).__name__}: loss must be 'squared' to fit from moments, which say no "
            f"more of the rows; got {loss.name!r}. Use fit for rows in memory."
        )
    return True


class FromMoments:
    """`fit_moments` and `partial_fit` of a linear estimator with the squared loss."""

    moments_: TaskMoments

    @available_if(_sums_are_enough)
    @all_or_nothing
    def fit_moments(self: Any, moments: TaskMoments) -> Any:
        """Fit to moments: the same answer as `fit` on the rows that they were made of.

        The KKT violation and the objective that are reported are computed from the moments.

        Parameters
        ----------
        moments : TaskMoments
            Made with this estimator's ``task``. For ``alpha="cv"`` they must hold folds
            (``n_folds=5``): strengths are then chosen by K-fold cross-validation, which moments
            allow exactly, where `fit` uses leave-one-out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the moments were made with another task column, or hold no folds for "cv".
        """
        self._validate_params()
        self._check_moments(moments)
        forget(self)
        self._take_columns(moments)
        if self._must_choose() and moments.n_folds < 2:
            raise ValueError(
                f"{type(self).__name__}: alpha='cv' must have moments by fold; got n_folds="
                f"{moments.n_folds}. Leave-one-out needs the rows: make the moments with "
                "n_folds=5, or give every strength a number."
            )
        data = MomentData.make(
            moments,
            intercept=self.fit_intercept,
            task_weight=_rule(self),
        )
        with one_blas_thread():
            self._fit_data(data)
        self.moments_ = moments
        return self

    @available_if(_sums_are_enough)
    @all_or_nothing
    def partial_fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
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
        before: TaskMoments | None = getattr(self, "moments_", None)
        if before is None and hasattr(self, "coef_"):
            warnings.warn(
                f"{type(self).__name__}: partial_fit starts anew from these rows, because fit "
                "keeps no moments of its own. To add to earlier rows, pass them to partial_fit "
                "as well.",
                UserWarning,
                stacklevel=callers_level(),
            )
        read_rows(self, X, reset=before is None)
        target, _ = read_target(self, y)
        target = y if target.ndim == 2 else target  # with the names of its columns
        if before is not None:
            return self.fit_moments(before.extended(X, target, sample_weight))
        folds = FOLDS if self._must_choose() else 1
        task: str | int | None = self.task
        return self.fit_moments(
            TaskMoments.from_rows(X, target, task=task, sample_weight=sample_weight, n_folds=folds)
        )

    def _check_moments(self: Any, moments: TaskMoments) -> None:
        name = type(self).__name__
        if not isinstance(moments, TaskMoments):
            raise TypeError(
                f"{name}: moments must be TaskMoments; got {type(moments).__name__}. Make them "
                "with TaskMoments.from_batches, or use fit for rows."
            )
        if moments.task != self.task:
            raise ValueError(
                f"{name}: moments must be made with the estimator's task; got task="
                f"{moments.task!r} in the moments and {self.task!r} here. Set task="
                f"{moments.task!r}."
            )

        if moments.wide and not (moments.counts > 0).all():
            empty = moments.tasks[moments.counts <= 0].tolist()[:5]
            raise ValueError(
                f"{name}: y must have at least one measured value in every column; column(s) "
                f"{empty} have none. Drop them."
            )

    def _take_columns(self: Any, moments: TaskMoments) -> None:
        """What `predict` is to find in X."""
        self._wide = moments.wide
        self.n_features_in_ = moments.n_features + (moments.task is not None)
        if moments.columns is not None:
            self.feature_names_in_ = np.array(moments.columns, dtype=object)


def _rule(estimator: Any) -> str:
    """Weighting of tasks; some estimators resolve "auto" first."""
    return str(getattr(estimator, "_weight_rule", estimator.task_weight))
