"""What one would use without multi-task learning: gradient boosting with the task as a category."""

from __future__ import annotations

from contextlib import suppress
from numbers import Integral, Number
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
)

from polytask.data import all_or_nothing, is_frame, read_raw_rows, read_target, read_weight
from polytask.data.grouping import by_first_row
from polytask.data.held_rows import read_held, validation_part
from polytask.data.task_spec import Spec
from polytask.data.threads import with_trees
from polytask.models.estimator import Estimator
from polytask.models.labels import refuse_unusable
from polytask.responses import Response, find_response
from polytask.tuning.row_order import column_order, row_order

__all__ = ["BoostedTreesClassifier", "BoostedTreesRegressor"]

MAX_CATEGORIES = 255  # of HistGradientBoosting: one bin each
HELD_OUT = 10  # a tenth of the rows says when to stop
FOLDS = 5  # in which the tasks' mean targets are cross-fitted
LEAST_ROWS = 10  # categories with fewer are never split off
_ORDINAL = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}


class _BoostedTrees(Estimator):
    """Gradient-boosted trees that see the task as one more category.

    Histogram gradient boosting with a small learning rate, stopped when a tenth of the training
    rows, held out, stops improving. Missing values have a branch of their own; text becomes a
    category. The trees hold at most 255 tasks apart and pass over tasks of fewer than 10 rows;
    with more tasks, or where most are that small, the task is encoded by its mean target
    instead, shrunken and cross-fitted inside the training rows, and ``notes_`` says so. Tasks
    and categories unseen in training count as missing.

    Parameters
    ----------
    task : str, int or None, default=None
        Task column; None treats every column as a feature.
    loss : str or Response, default="auto"
        As of the linear models: the trees take the nearest that they have ("huber": absolute
        error).
    learning_rate : float, default=0.05
    max_iter : int, default=500
        Trees at most.
    max_leaf_nodes : int, default=15
    min_samples_leaf : int, default=20
        Larger values smooth more.
    random_state : int or None, default=0

    Attributes
    ----------
    model_ : the fitted HistGradientBoosting model
    n_iter_ : int
        Trees.
    notes_ : tuple of str
        What was done that a reader should know.
    """

    _parameter_constraints = {
        "task": [None, str, Integral, list, tuple],
        "loss": [str, Response],
    }  # the trees check theirs
    joint = False  # it takes the task column, but has no notion of a task

    def __init__(
        self,
        task: Spec = None,
        *,
        loss: str | Response = "auto",
        learning_rate: float = 0.05,
        max_iter: int = 500,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 20,
        random_state: int | None = 0,
    ) -> None:
        self.task = task
        self.loss = loss
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    @all_or_nothing
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> _BoostedTrees:
        """Fit to a table with the task column.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None
        groups, time : array of shape (n,), optional
            Who each row is of, or when it was: the tenth that is held out then holds whole groups,
            or the latest rows. Not both.

        Returns
        -------
        self
        """
        self._validate_params()
        rows = read_raw_rows(self, X, reset=True)
        y = self._target(y)
        check_consistent_length(rows.X, y)
        weight = None if sample_weight is None else read_weight(sample_weight, y)
        held = read_held(groups, time, rows.X, type(self).__name__)
        code = np.unique(np.zeros(len(y)) if rows.ids is None else rows.ids, return_inverse=True)[1]
        number = y if y.dtype.kind in "biuf" else np.unique(y, return_inverse=True)[1]
        columns = _columns(rows.X)
        order = row_order(columns, number, code, None, weight)
        self._columns = column_order(columns, number).tolist()  # the first of equals wins
        columns = [columns[j][order] for j in self._columns]
        y, code = y[order], by_first_row(code[order])
        weight, ids, group, when = (
            each if each is None else each[order] for each in (weight, rows.ids, *held)
        )
        self._texts = [j for j, column in enumerate(columns) if _is_text(column)]
        self.encoder_ = OrdinalEncoder(max_categories=MAX_CATEGORIES - 1, **_ORDINAL)
        self.notes_: tuple[str, ...] = ()
        numbers, texts = self._split(columns)
        numbers = [np.zeros(len(y)) if np.isnan(c).all() else c for c in numbers]  # has no bins
        categorical = [False] * len(numbers) + [True] * len(texts)
        if texts:
            self.encoder_.fit(np.column_stack(texts))
        parts = self._encoded(numbers, texts)
        if ids is not None:
            tasks = self._fit_task(ids[:, None].astype(object), y)
            parts += tasks
            categorical += [not self._by_target] * len(tasks)
        settings = self._settings(categorical, y)
        self.model_ = self._make(settings)
        apart = np.zeros(len(y), dtype=bool)
        if settings["early_stopping"] and any(of_rows is not None for of_rows in (group, when)):
            apart = validation_part(code, group, when, HELD_OUT)
        self._fit_trees(np.column_stack(parts), y, weight, apart)
        self.n_iter_ = self.model_.n_iter_
        if self._has_classes():
            self.classes_ = self.model_.classes_
        return self

    def _fit_trees(
        self, Z: np.ndarray, y: np.ndarray, weight: np.ndarray | None, apart: np.ndarray
    ) -> None:
        """The trees; ``apart`` are the rows that say when to stop, none where the trees choose."""
        if not apart.any():
            with_trees(self.model_.fit, Z, y, sample_weight=weight)
            return
        own, other = (None, None) if weight is None else (weight[~apart], weight[apart])
        with_trees(
            self.model_.fit, Z[~apart], y[~apart], sample_weight=own,
            X_val=Z[apart], y_val=y[apart], sample_weight_val=other,
        )  # fmt: skip

    def predict(self, X: Any) -> np.ndarray:
        """Predicted targets or classes, shape (n,)."""
        found: np.ndarray = with_trees(self._fitted().predict, self._design(X))
        return found

    def _fitted(self) -> Any:
        check_is_fitted(self)
        return self.model_

    def _target(self, y: Any) -> np.ndarray:
        """A target for each row; the role says what it may hold."""
        target, _ = read_target(self, y)
        if target.shape[1:] == (1,):
            return column_or_1d(target, warn=True)
        if target.ndim == 2:
            raise ValueError(
                f"{type(self).__name__}: y must have one column; got shape {target.shape}. Stack "
                "the tasks (`stack_tasks`) for a table with a task column."
            )
        return target

    def _fit_task(self, ids: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """The tasks as a category, or by their mean target: of more than two classes of each."""
        sizes = np.unique(ids, return_counts=True)[1]
        small = len(sizes) > MAX_CATEGORIES or np.median(sizes) < LEAST_ROWS
        self._by_target = bool(small and len(y) >= FOLDS)
        if not self._by_target:
            met = pd.unique(ids[:, 0])  # whatever they are called
            self.task_encoder_ = OrdinalEncoder(categories=[met], **_ORDINAL)
            return list(np.asarray(self.task_encoder_.fit_transform(ids), dtype=float).T)
        self.notes_ = (
            f"Gradient boosting holds at most {MAX_CATEGORIES} categories apart and passes over "
            f"those of fewer than {LEAST_ROWS} rows, so the tasks entered it by their mean target, "
            "shrunken and cross-fitted in training.",
        )
        self.task_encoder_ = TargetEncoder(cv=self._encoder_folds(y))
        return list(np.asarray(self.task_encoder_.fit_transform(ids, y), dtype=float).T)

    def _split(self, columns: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Number columns as floats, and columns that held text in training as text."""
        numbers = [_numbers(c) for j, c in enumerate(columns) if j not in self._texts]
        return numbers, [columns[j].astype(str) for j in self._texts]

    def _encoded(self, numbers: list[np.ndarray], texts: list[np.ndarray]) -> list[np.ndarray]:
        return [*numbers, *self.encoder_.transform(np.column_stack(texts)).T] if texts else numbers

    def _design(self, X: Any) -> np.ndarray:
        rows = read_raw_rows(self, X, reset=False)
        columns = _columns(rows.X)
        parts = self._encoded(*self._split([columns[j] for j in self._columns]))
        if rows.ids is not None:
            parts += list(self.task_encoder_.transform(rows.ids[:, None].astype(object)).T)
        return np.column_stack(parts)

    def _settings(self, categorical: list[bool], y: np.ndarray) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "max_iter": self.max_iter,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "random_state": self.random_state,
            "early_stopping": self._may_hold_out(y),
            "categorical_features": categorical if any(categorical) else None,
        }

    def _make(self, settings: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _has_classes(self) -> bool:
        """Whether the trees learn probabilities, of labels or of ordered levels."""
        raise NotImplementedError

    def _may_hold_out(self, y: np.ndarray) -> bool:
        """Whether a tenth of the rows tells anything."""
        if not self._has_classes():
            return len(y) >= 2 * LEAST_ROWS
        sizes = np.unique(y, return_counts=True)[1]
        return bool(len(y) >= LEAST_ROWS * len(sizes) and sizes.min() > 1)

    def _encoder_folds(self, y: np.ndarray) -> Any:
        common = self._has_classes() and np.unique(y, return_counts=True)[1].min() >= FOLDS
        kind = StratifiedKFold if common else KFold
        return kind(FOLDS, shuffle=True, random_state=0)

    @available_if(lambda self: self._has_classes())
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, or of ordered levels: shape (n, K)."""
        found: np.ndarray = with_trees(self._fitted().predict_proba, self._design(X))
        return found

    def __sklearn_tags__(self) -> Any:
        """Tags: sparse input and missing values."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


class BoostedTreesRegressor(RegressorMixin, _BoostedTrees):
    """The trees' loss nearest to ``loss``."""

    def _loss(self) -> Response:
        return find_response(type(self).__name__, self.loss, has_labels=False)

    def _has_classes(self) -> bool:
        return self._loss().trees == "log_loss"

    def _target(self, y: Any) -> np.ndarray:
        target = super()._target(y).astype(np.float64)
        refuse_unusable(target)
        self._loss().check(target, type(self).__name__)
        return target

    def _make(self, settings: dict[str, Any]) -> Any:
        said = self._loss()
        if self._has_classes():
            return HistGradientBoostingClassifier(**settings)
        return HistGradientBoostingRegressor(loss=said.trees, **said.tree_options, **settings)

    def __sklearn_tags__(self) -> Any:
        """Tags: targets of one sign where the response asks for it."""
        tags = super().__sklearn_tags__()
        with suppress(ValueError):  # of a loss that fit will refuse
            tags.target_tags.positive_only = self._loss().targets.low >= 0
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """Expected targets, shape (n,)."""
        return self.predict_proba(X) @ self.classes_ if self._has_classes() else super().predict(X)


class BoostedTreesClassifier(ClassifierMixin, _BoostedTrees):
    """Log loss; any number of classes."""

    def _target(self, y: Any) -> np.ndarray:
        target = super()._target(y)
        refuse_unusable(target)
        check_classification_targets(target)
        if len(np.unique(target)) < 2:
            raise ValueError(
                f"{type(self).__name__}: y must hold two classes; got one class, "
                f"{np.unique(target).tolist()}. There is nothing to tell apart."
            )
        return target

    def _make(self, settings: dict[str, Any]) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(**settings)

    def _has_classes(self) -> bool:
        return True

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of the second class, shape (n,)."""
        found: np.ndarray = self._fitted().decision_function(self._design(X))
        return found


def _columns(features: Any) -> list[np.ndarray]:
    """The feature columns as object or number arrays, whatever the container."""
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        return [_as_objects(series.to_list()) for series in frame.iter_columns()]
    if sparse.issparse(features):
        features = features.toarray()
    return list(np.asarray(features).T)


def _as_objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values  # lists in cells stay one cell each
    return column


def _is_text(column: np.ndarray) -> bool:
    if column.dtype != object:
        return column.dtype.kind not in "biuf"
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("string", "integer", "floating", "boolean"):  # as good as always, and fast
        return bool(kind == "string")
    for value in column:
        if isinstance(value, list | tuple | dict | set | np.ndarray):
            raise TypeError(
                "X must hold numbers or text (argument must be a string or a number); got "
                f"{value!r}, a {type(value).__name__}. Spread it over several columns."
            )
    return not all(isinstance(value, Number) for value in column[~pd.isna(column)])


def _numbers(column: np.ndarray) -> np.ndarray:
    numbers = np.full(len(column), np.nan)
    known = ~pd.isna(column)
    numbers[known] = column[known].astype(float)
    if np.isinf(numbers).any():
        raise ValueError("Input X contains infinity or a value too large for dtype('float64').")
    return numbers
