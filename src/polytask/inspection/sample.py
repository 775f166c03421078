"""What a comparison is about: its tasks and target, and in memory the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_consistent_length
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from polytask.data import as_table, drop_task_column, is_frame, read_task_ids, read_weight
from polytask.data.frames import frame_columns
from polytask.data.groupings import read_groupings
from polytask.data.held_rows import read_held
from polytask.data.survival_target import is_survival, read_survival
from polytask.data.task_spec import Spec, spelled_out, unit_of
from polytask.inspection.comparison import DataSummary
from polytask.inspection.roles import final_step
from polytask.responses import Cox, Logistic, Response, Squared
from polytask.tuning.row_order import row_order

__all__ = ["RowSample", "Sample", "read_sample", "response_for", "response_of"]


@dataclass(frozen=True, eq=False)
class Sample:
    """What is known of rows, be they in memory or only passed over.

    Attributes
    ----------
    ids, rows : ndarray of shape (m,)
        Tasks, sorted, and their rows.
    response : Response
    task : str, int or list of groupings
    target : as in `Comparison`
    classes : ndarray
        Labels, sorted, or none.
    target_mean, target_std : float
        Of the target, or of 0 and 1.
    missing : dict of str to int
        Missing values of every feature column.
    """

    ids: np.ndarray
    rows: np.ndarray
    response: Response
    task: Spec
    target: str
    classes: np.ndarray
    target_mean: float
    target_std: float
    missing: Mapping[str, int]

    @property
    def n_tasks(self) -> int:
        """How many tasks."""
        return len(self.ids)

    @property
    def unit(self) -> Any:
        """The column whose ids are the tasks."""
        return unit_of(self.task)

    @property
    def kind(self) -> str:
        """As in `Comparison`."""
        return self.response.kind

    def rounding(self, loss_title: str, by_variance: bool = False) -> float:
        """Loss of errors so small that they tell of the rounding of numbers, not of models."""
        error = max(1e-9 * self.target_std, 1e-14 * abs(self.target_mean))
        power = {"squared error": 2, "absolute error": 1}.get(loss_title)
        unit = self.target_std**2 if by_variance else 1.0
        return 0.0 if power is None or not unit > 0 else error**power / unit

    def refuse_flat(self, caller: str, varies: np.ndarray) -> None:
        """Refuse a target that is the same in all rows of every task.

        Raises
        ------
        ValueError
        """
        if not varies.any():
            raise ValueError(
                f"{caller}: y must vary inside a task; it is the same in all rows of every task, "
                "so that nothing is left to predict inside a known task. Aggregate: keep one row a "
                "task, with means of its features, for an ordinary regression or classification. "
                "Or ask about new tasks, of which no row is known: polytask.inspection.NewTasks."
            )

    def summary(self, unscored: int) -> DataSummary:
        """Counts for the report; `unscored` tasks have no row in a test fold."""
        plain = self.kind == "regression"
        return DataSummary(
            rows=int(self.rows.sum()),
            tasks=self.n_tasks,
            features=len(self.missing),
            rows_min=int(self.rows.min()),
            rows_median=float(np.median(self.rows)),
            rows_max=int(self.rows.max()),
            missing_cells=int(sum(self.missing.values())),
            features_with_missing=tuple(str(name) for name, k in self.missing.items() if k),
            tasks_in_training_only=unscored,
            classes=tuple(str(c) for c in self.classes),
            positive_share=self.target_mean if len(self.classes) == 2 else None,
            target_mean=self.target_mean if plain else None,
            target_std=self.target_std if plain else None,
        )


@dataclass(frozen=True, eq=False)
class RowSample(Sample):
    """Rows in memory.

    Attributes
    ----------
    X : table with the task column; labels : (N,) what estimators are fitted to
    y : (N,) float, the target, or places in ``classes``
    codes : (N,) int, task of each row
    together : (N,) int or None, rows of one number stay in one fold
    grouped : bool, whether those are groups that models choose by too
    time : (N,) float or None, rows are judged by earlier ones
    weights : (N,) float or None, how much each row counts; positive
    notes : what was left out in reading
    called : (N,) or None, numbers of rows in notes, else the frame's labels, or places from 0
    """

    X: Any
    labels: np.ndarray
    y: np.ndarray
    codes: np.ndarray
    together: np.ndarray | None = None
    grouped: bool = False
    time: np.ndarray | None = None
    weights: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    called: np.ndarray | None = None

    @property
    def told(self) -> dict[str, np.ndarray | None]:
        """What `fit` is told of each row beside features and target."""
        groups = self.together if self.grouped else None
        return {"groups": groups, "time": self.time, "sample_weight": self.weights}

    @cached_property
    def order(self) -> np.ndarray:
        """The rows in an order that does not depend on how the table came."""
        return row_order(self.X, self.y, self.codes, self.task, self.weights)

    def splits(self, splitter: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The splits that a splitter makes of the rows in that order, as rows of the table."""
        groupings = spelled_out(self.task, frame_columns(self.X))
        ids = read_groupings(self.X, groupings)
        called = {name: f"ids{k}" for k, name in enumerate(ids)}
        splitter = copy(splitter)
        splitter.task = [tuple(called[name] for name in names) for names in groupings]
        table = pd.DataFrame({called[name]: ids[name][self.order] for name in ids})
        labels = self.labels if self.strata is None else self.strata
        for train, test in splitter.split(table, labels[self.order]):
            yield self.order[train], np.sort(self.order[test])

    @property
    def shares(self) -> np.ndarray:
        """Weights (N,) in units of their mean."""
        return np.ones(len(self.y)) if self.weights is None else self.weights / self.weights.mean()

    @property
    def strata(self) -> np.ndarray | None:
        """What is spread over the folds of a task: classes, or whether the event came."""
        by = {"class": self.y, "event": self.y > 0}
        return by.get(self.strata_words)

    @property
    def strata_words(self) -> str:
        """The same in a word, "" of none."""
        asks = {"predict_proba": "class", "predict_survival": "event"}
        return asks.get(self.response.asks, "")

    @property
    def varies(self) -> np.ndarray:
        """Tasks (m,) whose target is not the same in all rows."""
        low, high = np.full(self.n_tasks, np.inf), np.full(self.n_tasks, -np.inf)
        np.minimum.at(low, self.codes, self.y)
        np.maximum.at(high, self.codes, self.y)
        return high > low


def response_for(labels: bool) -> Response:
    """What is taken of a target that nothing more is said of."""
    return Logistic() if labels else Squared()


def response_of(estimators: Mapping[str, Any], y: Any, baseline: str = "") -> Response:
    """How targets are judged: as the baseline's loss says, else the first model's, else by y."""
    first = (estimators.get(baseline), *estimators.values())
    steps = [e[-1] if isinstance(e, Pipeline) else e for e in first if e is not None]
    models = [step if hasattr(step, "_loss") else final_step(step) for step in steps]
    labels = {bool(is_classifier(model)) for model in models}
    if len(labels) > 1:
        raise ValueError(
            "compare_tasks: estimators must be all regressors or all classifiers; got both."
        )
    if not models:
        if is_survival(y):
            return Cox()
        values = np.asarray(y)
        return response_for(values.dtype.kind in "OUS" or type_of_target(values) == "binary")
    said = getattr(models[0], "_loss", None)
    return said() if callable(said) else response_for(labels.pop())


def read_sample(
    X: Any, y: Any, task: Spec, response: Response, together: Any = None,
    *, groups: Any = None, time: Any = None, sample_weight: Any = None,
) -> RowSample:  # fmt: skip
    """Check X and y together and number tasks and classes; rows of weight zero are left out."""
    is_frame(X)  # refuses tables that are none
    notes: tuple[str, ...] = ()
    target = str(getattr(y, "name", None) or "target")
    if response.kind == "survival":
        if sample_weight is not None:
            raise ValueError(
                "compare_tasks: sample_weight must be None with times to an event, of which a row "
                "is judged beside all that are at risk with it; got weights."
            )
        lasted, event = read_survival("compare_tasks", y)
        target = str(getattr(y, "columns", [target])[0])
        y = np.where(event, lasted, -lasted)
    labels = column_or_1d(np.asarray(y), warn=False)
    check_consistent_length(X, labels)
    X = as_table(X)
    if sample_weight is not None:
        weight = read_weight(sample_weight, np.zeros(len(labels)))
        if not weight.all():
            keep = np.flatnonzero(weight)
            X, labels, weight = (_safe_indexing(each, keep) for each in (X, labels, weight))
            together, groups, time = (
                None if each is None else _safe_indexing(each, keep)
                for each in (together, groups, time)
            )
            notes = (f"{len(y) - len(keep):,} rows of weight zero were left out.",)
        sample_weight = weight
    ids, codes = np.unique(read_task_ids(X, task), return_inverse=True)
    if len(ids) < 2:
        raise ValueError(
            f"compare_tasks: the task column must hold at least 2 tasks; got {len(ids)}. "
            "With one task there is nothing to learn together."
        )
    values, classes = _numbers(labels, response)
    response = response.of_classes(len(classes)).of_targets(values)
    group, when = read_held(groups, time, labels, "compare_tasks")
    if group is None and together is not None:
        group = np.unique(column_or_1d(np.asarray(together)), return_inverse=True)[1]
    if response.kind == "survival":
        labels = np.column_stack([np.abs(values), values > 0])
    return RowSample(
        ids, np.bincount(codes), response, task, target, classes, float(values.mean()),
        float(values.std()), _missing(drop_task_column(X, task)), X, labels, values, codes,
        group, groups is not None, when, sample_weight, notes,
    )  # fmt: skip


def _numbers(labels: np.ndarray, response: Response) -> tuple[np.ndarray, np.ndarray]:
    missing = int(pd.isna(labels).sum())
    if missing:
        raise ValueError(
            f"compare_tasks: y must have no missing values; got {missing}. Drop those rows."
        )
    if response.has_labels:
        classes, values = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"compare_tasks: y must hold 2 classes or more for classifiers; got {len(classes)}."
            )
        return values.astype(float), classes
    try:
        values = labels.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "compare_tasks: y must be numbers for regressors; got text. "
            "For classes, pass classifiers."
        ) from error
    if not np.isfinite(values).all():
        raise ValueError("compare_tasks: y must be finite; got infinity.")
    response.check(values, "compare_tasks")
    return values, np.array([])


def _missing(features: Any) -> dict[Any, int]:
    """Missing values by name or position; a sparse matrix has none that are not numbers."""
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        return {name: int(pd.isna(frame[name].to_numpy()).sum()) for name in frame.columns}
    n = features.shape[1]
    counts = pd.isna(features).sum(axis=0) if isinstance(features, np.ndarray) else np.zeros(n)
    return dict(enumerate(counts.astype(int).tolist()))
