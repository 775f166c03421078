"""Scorers that know the tasks: usable as ``scoring=`` wherever scikit-learn takes a callable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from polytask.data.survival_target import read_survival
from polytask.model_selection._base import read_codes
from polytask.model_selection._response import encode_labels, predict_for
from polytask.model_selection.metrics import get_metric

__all__ = ["TaskScorer", "task_scorer"]

Average = Literal["tasks", "rows", "worst"]


@dataclass(frozen=True)
class TaskScorer:
    """A scorer ``(estimator, X, y) -> float``, made as in `task_scorer`; greater is better."""

    metric: str
    task: str | int | None = None
    average: Average = "tasks"

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score of a fitted estimator; negative for metrics where less is better."""
        metric = get_metric(self.metric)
        truth, pred, codes, _ = self._judged(estimator, X, y)
        sign = 1.0 if metric.greater_is_better else -1.0
        if self.average == "rows":
            return sign * metric.pooled(truth, pred, codes, sample_weight)
        summary = metric.summary(metric.per_task(truth, pred, codes, sample_weight))
        return sign * (summary.mean if self.average == "tasks" else summary.worst)

    def per_task(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> pd.Series:
        """The metric's own value (no sign) for each task, by task id; NaN where it has none."""
        truth, pred, codes, tasks = self._judged(estimator, X, y)
        values = get_metric(self.metric).per_task(truth, pred, codes, sample_weight)
        return pd.Series(values, index=pd.Index(tasks, name="task"), name=self.metric)

    def _judged(self, estimator: Any, X: Any, y: Any) -> tuple[Any, ...]:
        """Truth and prediction as numbers, code of each row (None if wide), and the ids."""
        metric = get_metric(self.metric)
        if metric.kind == "survival":
            time, event = read_survival("task_scorer", y)
            y = np.where(event, time, -time)
        pred = predict_for(metric, estimator, X, np.shape(y))
        truth, pred = encode_labels(metric, estimator, y, pred)
        if truth.ndim == 2:
            return truth, pred, None, np.asarray(getattr(y, "columns", range(truth.shape[1])))
        return truth, pred, *read_codes(X, self.task, "task_scorer")

    def _accept_sample_weight(self) -> bool:
        # scikit-learn asks this of every scorer in a dict of scorers
        return True


def task_scorer(
    metric: str, *, task: str | int | None = None, average: Average = "tasks"
) -> TaskScorer:
    """Make a scorer that reads the tasks from X and averages a metric as you say.

    Parameters
    ----------
    metric : str
        A name in `METRICS`: "rmse", "mae", "explained_variance", "auc", "log_loss", …
    task : str, int or None, default=None
        The task column of X. None for wide labels (2-D y, NaN = not measured) or a single task.
    average : {"tasks", "rows", "worst"}, default="tasks"
        "tasks": mean over tasks, each with the same say; tasks for which the metric is
        not defined (AUC with one class) are left out. "rows": over all rows at once.
        "worst": the task that is served worst.

    Returns
    -------
    scorer : TaskScorer
        Called as ``scorer(estimator, X, y, sample_weight=None)``; greater is better, so errors and
        losses come out negative. ``scorer.per_task(estimator, X, y)`` gives every task's value.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from polytask.model_selection import task_scorer
    >>> X = np.array([[0.0, 0], [1.0, 0], [2.0, 1], [3.0, 1]])
    >>> y = np.array([0.0, 0.0, 0.0, 4.0])
    >>> model = DummyRegressor().fit(X, y)
    >>> task_scorer("mae", task=1)(model, X, y)
    -1.5
    >>> task_scorer("mae", task=1, average="worst")(model, X, y)
    -2.0
    """
    if get_metric(metric).needs == "training rows":
        raise ValueError(
            f"task_scorer: metric must be one that predictions decide; {metric!r} needs the "
            "training rows, too. Use 'concordance', or compare_tasks."
        )
    if average not in ("tasks", "rows", "worst"):
        raise ValueError(
            f"task_scorer: average must be 'tasks', 'rows' or 'worst'; got {average!r}."
        )
    return TaskScorer(metric, task, average)
