"""A mean-regularized model on columns that are made of the features."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from polytask.data import (
    TaskData,
    all_or_nothing,
    callers_level,
    forget,
    read_rows,
    read_target,
    read_weight,
    task_codes,
)
from polytask.data.held_rows import read_held
from polytask.mixed.doubts import DoubtWarning
from polytask.mixed.fit import MixedFit
from polytask.models._fields import FromFields
from polytask.models._rows_alike import RowsAlike
from polytask.models.estimator import TaskEstimator
from polytask.models.mean_regularized import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.models.mixed import why_not_mixed
from polytask.models.roles import RegressorRole
from polytask.models.unseen import refuse_known, unseen_message
from polytask.responses import Response

__all__ = ["HeadsClassifier", "HeadsRegressor", "OnColumns", "OnColumnsRegressor", "read_dense"]


class _Heads:
    """What rows do not say of variances is kept for whoever made the columns."""

    doubts: list[str]
    _last: MixedFit | None = None  # of the same rows, from which a search starts

    def _estimate(
        self, data: TaskData, loss: Response, last: MixedFit | None = None, covariance: str = ""
    ) -> MixedFit:
        fit: MixedFit = super()._estimate(  # type: ignore[misc]
            data, loss, last or self._last, covariance
        )
        self.doubts = fit.doubts
        self._last = None if self._marginal else fit
        return replace(fit, doubts=[])

    def fit_to_predict(self: Any, X: Any, y: Any, sample_weight: Any) -> Any:
        """A fit without the marginal estimate of w0 and its errors, which others may follow."""
        self._marginal = False
        return self.fit(X, y, sample_weight)

    def finish(self: Any, X: Any, y: Any, sample_weight: Any) -> None:
        """What `fit_to_predict` of the same rows left out."""
        if not self._marginal and not self.response_.is_quadratic:
            self._marginal = True
            self.fit(X, y, sample_weight)
        self.let_go()

    def let_go(self) -> None:
        """Where a search could start is not kept with a model."""
        self._last = None


class HeadsRegressor(_Heads, MeanRegularizedRegressor):
    """A regressor on the columns."""


class HeadsClassifier(_Heads, MeanRegularizedClassifier):
    """A classifier on them."""


class OnColumns(FromFields, TaskEstimator):
    """Heads w0 + Δw_i on columns of the features: ``model_`` sees them and the row's task.

    Parameters
    ----------
    loss : str or Response, default="auto"
        "squared", or minus a log likelihood without parameters of its own: "logistic" is a
        classifier's, "poisson", "binomial".
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task, or a wide y.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or predict it from the common part.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    tasks_ : ndarray of shape (m,)
    response_, classes_
        The kind of target that was fitted, and a classifier's labels, sorted.
    doubts_ : tuple of str
        What the rows do not say of variances and standard errors; a warning where these are asked
        for.
    n_iter_ : int
    """

    loss: str | Response = "auto"
    task: str | int | None = None
    unseen: str = "error"
    verbose: int = 0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [str, Response],
        "task": [None, str, Integral],
        "unseen": [StrOptions({"error", "common"})],
        "verbose": ["verbose"],
    }

    # What a model says.

    def _fit_rows(
        self, X: np.ndarray, y: Any, weight: np.ndarray, code: np.ndarray | None, groups: Any
    ) -> None:
        """Learn the columns from rows X (n, d), and ``model_`` on them."""
        raise NotImplementedError

    def _columns_of(self, X: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        """The columns of features X (n, d) of tasks at places ``code`` (n,), shape (n, p)."""
        raise NotImplementedError

    def _check_data(self, data: TaskData) -> None:
        """Refuse data that the role cannot learn from."""

    # The same for all.

    @all_or_nothing
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        time: Any = None,
    ) -> Any:
        """Fit to a long table with a task column, or to a wide y with a column per task.

        Parameters
        ----------
        X : table or array of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : array of shape (n,), or of shape (n, m) with ``task=None``
            Targets. In a wide y NaN means not measured.
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
            Weights of rows; zero leaves a row out.
        groups, time : array of shape (n,), optional
            Who or when each row was, as the other models take it. Rows of a group count for as
            many as the correlation of errors in groups left out leaves of them (Kish, 1965), or
            one of them does for all. In time, and in groups of a wide y, variances are estimated
            from rows as if they were independent; a warning says so.

        Returns
        -------
        self
        """
        self._validate_params()
        forget(self)
        rows = read_rows(self, X, reset=True)
        target, _ = read_target(self, y)
        check_consistent_length(rows.X, target)
        name = type(self).__name__
        if len(target) < 2:
            raise ValueError(f"{type(self).__name__}: y must hold two rows at least; got 1 sample.")
        group, when = read_held(groups, time, rows.X, name)
        self._wide = target.ndim == 2
        if when is not None or (group is not None and self._wide):
            warnings.warn(
                f"{name}: variances are estimated from rows taken as independent, whatever groups "
                "of a wide y or time say.",
                UserWarning,
                stacklevel=callers_level(),
            )
        numbers = self._encode(target)  # refuses what the role cannot learn
        reason = why_not_mixed(self._loss())
        if reason is not None:
            raise ValueError(f"{name}: it needs {reason}. Mean-regularized models take it.")
        weight, code = read_weight(sample_weight, target), None
        if rows.ids is not None:
            self.tasks_ = np.unique(rows.ids[weight > 0])
            code = task_codes(rows.ids, self.tasks_, len(rows.ids))
        dense = _dense(rows.X)
        if group is not None and not self._wide:
            weight = self._alike(dense, y, weight, code, groups, group, numbers)
        self._fit_rows(dense, y, weight, code, groups)
        self.model_.unseen = "common"  # unseen tasks are refused before they get there
        self.response_, self.n_iter_ = self.model_.response_, self.model_.n_iter_
        return self

    def _alike(
        self, X: np.ndarray, y: Any, weight: np.ndarray, code: np.ndarray | None, groups: Any,
        group: np.ndarray, numbers: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """How much rows (n,) count, some of which are of one group."""
        used = np.flatnonzero(weight > 0)
        task = np.zeros(len(X), dtype=int) if code is None else code
        found = np.zeros(len(X))

        def predicted(part: np.ndarray, held: np.ndarray) -> np.ndarray:
            rows, whole = used[held], np.zeros(len(X))
            whole[used] = part
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # of fits that are not kept
                self._fit_rows(X, y, whole, code, groups)
            table = self._table_of(X[rows], None if code is None else code[rows])
            f: np.ndarray = self.model_._linear_predictor(table)
            return f

        found[used] = RowsAlike(
            X[used], numbers[used], weight[used], task[used], group[used], self._loss(), predicted
        ).weights()
        return found

    def _heads(self, inner: type, code: np.ndarray | None, **given: Any) -> Any:
        """The model on the columns, unfitted."""
        return inner(
            "reml", weights="count", loss=self.loss, task=None if code is None else 0,
            unseen=self.unseen, verbose=self.verbose, **given,
        )  # fmt: skip

    def _table(self, Z: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        """What ``model_`` reads: the place of the row's task in ``tasks_``, and the columns."""
        return Z if code is None else np.column_stack([code, Z])

    def _read(self, X: Any) -> Any:
        rows, code = read_rows(self, X, reset=False), None
        if rows.ids is not None:
            code = task_codes(rows.ids, self.tasks_, len(rows.ids))
            if self.unseen == "error" and (code < 0).any():
                raise ValueError(unseen_message(self, rows.ids[code < 0]))
        return self._table_of(_dense(rows.X), code)

    def _table_of(self, X: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        return self._table(self._columns_of(X, code), code)

    @staticmethod
    def takes_loss(response: Response) -> bool:
        """Whether the kind of target has a likelihood whose variances can be estimated."""
        return why_not_mixed(response) is None

    def _say_doubts(self) -> None:
        for doubt in self.doubts_:
            said = f"{type(self).__name__}: {doubt}."
            warnings.warn(said, DoubtWarning, stacklevel=callers_level())

    def _linear_predictor(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        f: np.ndarray = self._shaped(self.model_._linear_predictor(self._read(X)))
        return f

    def _shaped(self, f: np.ndarray) -> np.ndarray:
        """What ``model_`` says, as the user's table has it."""
        return f

    def _learned(self) -> Response:
        check_is_fitted(self)
        found: Response = self.response_
        return found

    def add_task(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn tasks that were not in training from their rows, all variances held.

        Parameters
        ----------
        X : table or array of shape (n, d + 1)
            Rows of one or more new tasks, with the task column.
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None

        Returns
        -------
        self
        """
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False)
        new, code = np.unique(refuse_known(self, rows.ids), return_inverse=True)
        table = self._table_of(_dense(rows.X), len(self.tasks_) + code)
        self.model_.add_task(table, y, sample_weight)
        self.tasks_ = np.append(self.tasks_, new)
        return self


class OnColumnsRegressor(RegressorRole):
    """Predictions of numbers, with their spread."""

    model_: Any
    _read: Any
    _say_doubts: Any
    _shaped: Any

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predicted targets, and on request their standard deviations.

        Parameters
        ----------
        X : table or array of shape (n, d) or (n, d + 1)
        return_std : bool, default=False
            Also return the standard deviation of a new observation at each row, the columns taken
            as known.

        Returns
        -------
        prediction : ndarray of shape (n,), or (n, m) after a fit to a wide y
        std : ndarray of the same shape, with ``return_std=True``
        """
        if return_std:
            check_is_fitted(self)
            rows = self._read(X)
            self._say_doubts()
            return tuple(map(self._shaped, self.model_.predict(rows, return_std=True)))
        return super().predict(X)


def read_dense(estimator: Any, X: Any) -> np.ndarray:
    """Features (n, d) of rows without a task column."""
    return _dense(read_rows(estimator, X, reset=False).X)


def _dense(X: Any) -> np.ndarray:
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=float)
