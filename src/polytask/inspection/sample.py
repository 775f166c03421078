"""The table of a comparison, read and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from polytask.data import drop_task_column, is_frame, read_task_ids
from polytask.inspection.comparison import DataSummary

__all__ = ["Sample", "TaskRows", "kind_of", "read_sample", "summarize"]


class TaskRows(Protocol):
    """What tables of results ask of a sample, be it in memory or only passed over."""

    @property
    def ids(self) -> np.ndarray:
        """Task ids (m,)."""
        ...

    @property
    def rows(self) -> np.ndarray:
        """Rows of each task (m,)."""
        ...

    @property
    def kind(self) -> str:
        """As in `Comparison`."""
        ...

    @property
    def task(self) -> str | int:
        """The task column."""
        ...

    @property
    def target(self) -> str:
        """The target's name."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a comparison.

    Attributes
    ----------
    X : table with the task column; labels : (N,) what estimators are fitted to
    y : (N,) float, the target or 0 and 1
    codes : (N,) int, ids : (m,) task of each row and the task ids
    kind, task, target, classes : as in `Comparison`
    """

    X: Any
    labels: np.ndarray
    y: np.ndarray
    codes: np.ndarray
    ids: np.ndarray
    kind: str
    task: str | int
    target: str
    classes: np.ndarray

    @property
    def n_tasks(self) -> int:
        """How many tasks."""
        return len(self.ids)

    @property
    def rows(self) -> np.ndarray:
        """Rows of each task, (m,)."""
        return np.bincount(self.codes, minlength=self.n_tasks)


def kind_of(estimators: dict[str, Any], y: Any) -> str:
    """Tell regression from classification: by the estimators, else by what y looks like."""
    found = {is_classifier(estimator) for estimator in estimators.values() if estimator is not None}
    if len(found) > 1:
        raise ValueError(
            "compare_tasks: estimators must be all regressors or all classifiers; got both."
        )
    if found:
        return "classification" if found.pop() else "regression"
    return "classification" if type_of_target(np.asarray(y)) == "binary" else "regression"


def read_sample(X: Any, y: Any, task: str | int, kind: str) -> Sample:
    """Check X and y together and number tasks and classes."""
    is_frame(X)  # refuses tables that are none
    target = str(getattr(y, "name", None) or "target")
    labels = column_or_1d(np.asarray(y), warn=False)
    check_consistent_length(X, labels)
    if not (is_frame(X) or hasattr(X, "shape")):
        X = np.asarray(X, dtype=object)
    ids, codes = np.unique(read_task_ids(X, task), return_inverse=True)
    if len(ids) < 2:
        raise ValueError(
            f"compare_tasks: the task column must hold at least 2 tasks; got {len(ids)}. "
            "With one task there is nothing to learn together."
        )
    values, classes = _numbers(labels, kind)
    return Sample(X, labels, values, codes, ids, kind, task, target, classes)


def _numbers(labels: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    missing = int(pd.isna(labels).sum())
    if missing:
        raise ValueError(
            f"compare_tasks: y must have no missing values; got {missing}. Drop those rows."
        )
    if kind == "classification":
        classes, values = np.unique(labels, return_inverse=True)
        if len(classes) != 2:
            raise ValueError(
                f"compare_tasks: y must hold 2 classes for classifiers; got {len(classes)}."
            )
        return values.astype(float), classes
    try:
        values = labels.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "compare_tasks: y must be numbers for regressors; got text. "
            "For two classes, pass classifiers."
        ) from error
    if not np.isfinite(values).all():
        raise ValueError("compare_tasks: y must be finite; got infinity.")
    return values, np.array([])


def summarize(sample: Sample, scored: np.ndarray) -> DataSummary:
    """Counts for the report; `scored` (N,) says which rows were ever in a test fold."""
    rows = sample.rows
    names, missing = _missing(drop_task_column(sample.X, sample.task))
    unscored = rows[np.bincount(sample.codes[scored], minlength=sample.n_tasks) == 0]
    regression = sample.kind == "regression"
    return DataSummary(
        rows=len(sample.y),
        tasks=sample.n_tasks,
        features=len(names),
        rows_min=int(rows.min()),
        rows_median=float(np.median(rows)),
        rows_max=int(rows.max()),
        missing_cells=int(missing.sum()),
        features_with_missing=tuple(str(n) for n, k in zip(names, missing, strict=True) if k),
        tasks_in_training_only=len(unscored),
        classes=tuple(str(c) for c in sample.classes),
        positive_share=None if regression else float(sample.y.mean()),
        target_mean=float(sample.y.mean()) if regression else None,
        target_std=float(sample.y.std()) if regression else None,
    )


def _missing(features: Any) -> tuple[list[Any], np.ndarray]:
    """Names and missing values of the columns; a sparse matrix has none that are not numbers."""
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        columns = (np.array(frame[name].to_list(), dtype=object) for name in frame.columns)
        return list(frame.columns), np.array([pd.isna(c).sum() for c in columns], dtype=int)
    n = features.shape[1]
    if not isinstance(features, np.ndarray):
        return list(range(n)), np.zeros(n, dtype=int)
    return list(range(n)), pd.isna(features).sum(axis=0)
