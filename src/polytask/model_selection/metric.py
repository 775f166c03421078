"""What a metric is: a value for every task and one over all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from polytask.model_selection._by_task import ByTask, divide

__all__ = ["Metric", "TaskSummary"]


class TaskSummary(NamedTuple):
    """A metric's per-task values in short: NaN tasks are left out and counted."""

    mean: float
    worst: float
    n_tasks: int
    n_left_out: int


@dataclass(frozen=True)
class Metric:
    """How predictions are judged, task by task and over all rows.

    Attributes
    ----------
    name, title : str
        Key in `METRICS`; words for a table's head.
    kind : {"regression", "classification", "survival"}
        Of a survival, y is the time of an event, or minus the time of censoring.
    greater_is_better : bool
    needs : {"predict", "predict_proba", "training rows"}
        What to ask an estimator for; for "predict_proba", pred is the probability of class 1. Where
        the training rows count, pred is the score of each row, as a comparison makes it.
    unit : {"target", "share", "nats", ""}
        "target": the units of y. "share": at best 1 or 0, whatever the units.
    text : str
        What it says, for a report.
    compute, compute_pooled : callable
        The formula for m tasks; that over all rows, where it is not the one for m = 1.
    by_rank : bool
        Whether rows are compared with one another, so that it is no mean over rows. Of labels only
        the order of pred matters then, and ``decision_function`` serves as well.

    Notes
    -----
    Probabilities of K classes are a last axis of pred, y then holds 0, ..., K - 1. The log loss is
    that of the class that occurred, the Brier score half the sum over classes (of two classes it is
    that of either), a metric of ranks the mean over classes, each against the others.

    Examples
    --------
    >>> from polytask.model_selection import METRICS
    >>> METRICS["mae"].per_task([1.0, 2.0, 5.0], [1.0, 3.0, 3.0], codes=[0, 0, 1])
    array([0.5, 2. ])
    >>> METRICS["mae"].pooled([1.0, 2.0, 5.0], [1.0, 3.0, 3.0])
    1.0
    """

    name: str
    title: str
    kind: Literal["regression", "classification", "survival"]
    greater_is_better: bool
    needs: Literal["predict", "predict_proba", "training rows"]
    unit: Literal["target", "share", "nats", ""]
    text: str
    compute: ByTask = field(repr=False)
    compute_pooled: Callable[..., float] | None = field(default=None, repr=False)
    by_rank: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest value that it can take."""
        if self.kind != "regression" and self.unit == "share":
            return 0.0, 1.0
        return (-np.inf, 1.0) if self.greater_is_better else (0.0, np.inf)

    def per_task(
        self,
        y: Any,
        pred: Any,
        codes: Any = None,
        weight: Any = None,
        n_tasks: int | None = None,
    ) -> np.ndarray:
        """Value of each task, NaN where it has none (no rows, one class, constant y, …).

        Parameters
        ----------
        y : array-like of shape (n,) or (n, m)
            Truth; 0 or 1 where ``needs`` is "predict_proba". NaN = not measured, left out.
            A 2-D y has a task in each column.
        pred : array-like of the shape of y
        codes : int array-like of shape (n,), optional
            Task of each row, 0 … m-1; needed for 1-D y.
        weight : array-like of shape (n,) or of y's shape, optional
            Weight of each row or entry, 0 or more.
        n_tasks : int, optional
            m, where it is more than the largest code + 1.

        Returns
        -------
        values : ndarray of shape (m,)
        """
        if codes is None and np.ndim(y) == 1:
            raise ValueError(f"Metric {self.name!r}: codes must be given for 1-D y; got None.")
        if self._has_classes(y, pred):
            each = [self.per_task(*p, codes, weight, n_tasks) for p in self._classes(y, pred)]
            return self._over_classes(np.array(each))
        truth, guess, task, weights = self._observations(y, pred, codes, weight)
        least = np.shape(y)[1] if np.ndim(y) == 2 else int(np.max(codes, initial=-1)) + 1
        if n_tasks is not None and n_tasks < least:
            raise ValueError(
                f"Metric {self.name!r}: n_tasks must be at least {least}; got {n_tasks}."
            )
        return self.compute(truth, guess, task, weights, n_tasks or least)

    def pooled(self, y: Any, pred: Any, codes: Any = None, weight: Any = None) -> float:
        """Value over all rows at once, whatever their task (arguments as in `per_task`).

        Only "explained_variance_within" looks at the tasks here: its variance is that within them.
        """
        if self._has_classes(y, pred):
            each = [self.pooled(*p, codes, weight) for p in self._classes(y, pred)]
            return float(self._over_classes(np.array(each)))
        truth, guess, task, weights = self._observations(y, pred, codes, weight)
        if self.compute_pooled is None:
            return float(self.compute(truth, guess, np.zeros_like(task), weights, 1)[0])
        if codes is None and np.ndim(y) == 1:
            raise ValueError(f"Metric {self.name!r}: codes must be given for 1-D y; got None.")
        return self.compute_pooled(truth, guess, task, weights, int(task.max(initial=0)) + 1)

    def summary(self, values: Any) -> TaskSummary:
        """Mean and worst of per-task values; tasks without one (NaN) are left out and counted."""
        values = np.asarray(values, dtype=float)
        there = values[~np.isnan(values)]
        left_out = int(values.size - there.size)
        if not there.size:
            return TaskSummary(np.nan, np.nan, 0, left_out)
        worst = there.min() if self.greater_is_better else there.max()
        return TaskSummary(float(there.mean()), float(worst), there.size, left_out)

    def _has_classes(self, y: Any, pred: Any) -> bool:
        return self.needs == "predict_proba" and np.ndim(pred) == np.ndim(y) + 1

    def _classes(self, y: Any, pred: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Truth and probability of each class; where that is what counts, of the one that occurred.

        The log loss of a row knows no other class.
        """
        y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
        missing = np.isnan(y)
        if self.unit == "nats":
            at = np.where(missing, 0, y).astype(int)[..., None]
            return [(np.where(missing, np.nan, 1.0), np.take_along_axis(pred, at, -1)[..., 0])]
        return [(np.where(missing, np.nan, y == c), pred[..., c]) for c in range(pred.shape[-1])]

    def _over_classes(self, each: np.ndarray) -> np.ndarray:
        """Mean of ranks over the classes that have a value; half the sum of others."""
        if self.unit == "nats":
            return np.asarray(each[0])
        if not self.by_rank:
            return np.asarray(0.5 * each.sum(axis=0))
        known = ~np.isnan(each)
        return divide(np.where(known, each, 0.0).sum(axis=0), known.sum(axis=0))

    def _observations(self, y: Any, pred: Any, codes: Any, weight: Any) -> tuple[np.ndarray, ...]:
        """Measured entries as flat arrays: truth, prediction, task, weight."""
        y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
        if y.shape != pred.shape:
            raise ValueError(
                f"Metric {self.name!r}: pred must have y's shape {y.shape}; got {pred.shape}."
            )
        task = np.zeros(len(y), np.intp) if codes is None else np.asarray(codes, dtype=np.intp)
        task = np.arange(y.shape[1])[None] if y.ndim == 2 else task
        rows = np.ones(1) if weight is None else np.asarray(weight, dtype=float)
        if rows.ndim < y.ndim:
            rows = rows[:, None]
        task, rows = np.broadcast_to(task, y.shape), np.broadcast_to(rows, y.shape)
        keep = ~np.isnan(y) & (rows != 0)
        kept = y[keep], pred[keep], task[keep], rows[keep]
        self._check(*kept)
        return kept

    def _check(self, y: np.ndarray, pred: np.ndarray, task: np.ndarray, rows: np.ndarray) -> None:
        if not np.isfinite(pred).all():
            raise ValueError(
                f"Metric {self.name!r}: pred must be finite where y is measured; got NaN or "
                f"infinity in {np.sum(~np.isfinite(pred))} place(s)."
            )
        if rows.size and not rows.min() > 0:
            raise ValueError(f"Metric {self.name!r}: weight must be 0 or more; got {rows.min():g}.")
        if self.needs == "predict_proba" and not np.isin(y, (0, 1)).all():
            raise ValueError(f"Metric {self.name!r}: y must be 0, 1 or NaN; got other values.")
        outside = (pred < 0) | (pred > 1)
        if self.needs == "predict_proba" and not self.by_rank and outside.any():
            raise ValueError(
                f"Metric {self.name!r}: pred must be probabilities; got {pred[outside][0]:g}."
            )
