"""What one would use without multi-task learning: gradient boosting with the task as a category."""

from __future__ import annotations

from numbers import Number
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from polytask.data import all_or_nothing, drop_task_column, is_frame, read_task_ids

__all__ = ["BoostedTreesClassifier", "BoostedTreesRegressor"]

MAX_CATEGORIES = 255  # of HistGradientBoosting: one bin each
LEAST_ROWS = 10  # categories with fewer are never split off
_ORDINAL = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}


class _BoostedTrees(BaseEstimator):
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
    notes_ : tuple of str
        What was done that a reader should know.
    """

    joint = False  # it takes the task column, but has no notion of a task

    def __init__(
        self,
        task: str | int | None = None,
        *,
        learning_rate: float = 0.05,
        max_iter: int = 500,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 20,
        random_state: int | None = 0,
    ) -> None:
        self.task = task
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> _BoostedTrees:
        """Fit to a table with the task column."""
        columns = _columns(X, self.task)
        self._texts = [j for j, column in enumerate(columns) if _is_text(column)]
        self.encoder_ = OrdinalEncoder(max_categories=MAX_CATEGORIES - 1, **_ORDINAL)
        self.notes_: tuple[str, ...] = ()
        y = np.asarray(y).ravel()
        numbers, texts = self._split(columns)
        categorical = [False] * len(numbers) + [True] * len(texts)
        if texts:
            self.encoder_.fit(np.column_stack(texts))
        parts = self._encoded(numbers, texts)
        if self.task is not None:
            parts.append(self._fit_task(read_task_ids(X, self.task)[:, None], y))
            categorical.append(not self._by_target)
        self.model_ = self._make(categorical)
        self.model_.fit(np.column_stack(parts), y, sample_weight=sample_weight)
        self._keep_classes()
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predicted targets or classes, shape (n,)."""
        found: np.ndarray = self.model_.predict(self._design(X))
        return found

    def _fit_task(self, ids: np.ndarray, y: np.ndarray) -> np.ndarray:
        sizes = np.unique(ids, return_counts=True)[1]
        self._by_target = len(sizes) > MAX_CATEGORIES or np.median(sizes) < LEAST_ROWS
        if not self._by_target:
            self.task_encoder_ = OrdinalEncoder(**_ORDINAL)
            return np.asarray(self.task_encoder_.fit_transform(ids), dtype=float)[:, 0]
        self.notes_ = (
            f"Gradient boosting holds at most {MAX_CATEGORIES} categories apart and passes over "
            f"those of fewer than {LEAST_ROWS} rows, so the tasks entered it by their mean target, "
            "shrunken and cross-fitted in training.",
        )
        self.task_encoder_ = TargetEncoder(cv=self._encoder_folds())
        return np.asarray(self.task_encoder_.fit_transform(ids, y), dtype=float)[:, 0]

    def _split(self, columns: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Number columns as floats, and columns that held text in training as text."""
        numbers = [_numbers(c) for j, c in enumerate(columns) if j not in self._texts]
        return numbers, [columns[j].astype(str) for j in self._texts]

    def _encoded(self, numbers: list[np.ndarray], texts: list[np.ndarray]) -> list[np.ndarray]:
        return [*numbers, *self.encoder_.transform(np.column_stack(texts)).T] if texts else numbers

    def _design(self, X: Any) -> np.ndarray:
        parts = self._encoded(*self._split(_columns(X, self.task)))
        if self.task is not None:
            ids = read_task_ids(X, self.task)[:, None]
            parts.append(self.task_encoder_.transform(ids)[:, 0])
        return np.column_stack(parts)

    def _settings(self, categorical: list[bool]) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "max_iter": self.max_iter,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "random_state": self.random_state,
            "early_stopping": True,
            "categorical_features": categorical if any(categorical) else None,
        }

    def _make(self, categorical: list[bool]) -> Any:
        raise NotImplementedError

    def _encoder_folds(self) -> KFold:
        return KFold(5, shuffle=True, random_state=0)

    def _keep_classes(self) -> None:
        """Nothing to keep for a regressor."""


class BoostedTreesRegressor(RegressorMixin, _BoostedTrees):
    """Squared error. See `_BoostedTrees` for parameters and attributes."""

    def _make(self, categorical: list[bool]) -> HistGradientBoostingRegressor:
        return HistGradientBoostingRegressor(**self._settings(categorical))


class BoostedTreesClassifier(ClassifierMixin, _BoostedTrees):
    """Log loss, two classes. See `_BoostedTrees` for parameters and attributes."""

    def _make(self, categorical: list[bool]) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(**self._settings(categorical))

    def _encoder_folds(self) -> StratifiedKFold:
        return StratifiedKFold(5, shuffle=True, random_state=0)

    def _keep_classes(self) -> None:
        self.classes_ = self.model_.classes_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, 2)."""
        found: np.ndarray = self.model_.predict_proba(self._design(X))
        return found


def _columns(X: Any, task: str | int | None) -> list[np.ndarray]:
    """The feature columns as object or number arrays, whatever the container."""
    features = X if task is None else drop_task_column(X, task)
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        return [np.array(frame[name].to_list(), dtype=object) for name in frame.columns]
    if sparse.issparse(features):
        features = features.toarray()
    return list(np.asarray(features).T)


def _is_text(column: np.ndarray) -> bool:
    if column.dtype != object:
        return column.dtype.kind not in "biuf"
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("string", "integer", "floating", "boolean"):  # as good as always, and fast
        return bool(kind == "string")
    return not all(isinstance(value, Number) for value in column[~pd.isna(column)])


def _numbers(column: np.ndarray) -> np.ndarray:
    numbers = np.full(len(column), np.nan)
    known = ~pd.isna(column)
    numbers[known] = column[known].astype(float)
    return numbers
