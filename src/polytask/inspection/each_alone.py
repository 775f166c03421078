"""A model of each task alone: the rival that says what of a gain is sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from polytask.data import read_task_ids
from polytask.inspection.roles import ALONE, final_step
from polytask.inspection.sample import RowSample
from polytask.inspection.task_means import TaskMeans
from polytask.models.held_fit import fit_held

__all__ = ["EachTaskAlone", "alone_rival"]


class EachTaskAlone(BaseEstimator):
    """Fits a model to the rows of each task by themselves.

    A task with one row, or one class, has its mean (`TaskMeans`).

    Parameters
    ----------
    model : estimator
        With a parameter ``task``, one column; of numbers or two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import CurvedRegressor
    >>> x = np.linspace(-1, 1, 40)
    >>> X = np.column_stack([np.tile(x, 2), np.repeat([0, 1], 40)])
    >>> y = np.concatenate([x**2, -(x**2)])
    >>> alone = EachTaskAlone(CurvedRegressor(task=1)).fit(X, y)
    >>> alone.predict(X[[20, 60]]).round(2).tolist()
    [0.0, -0.0]
    """

    role = "alone"

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """One fit for each task of X and y; the rest as of the model."""
        task, y = self.model.task, np.asarray(y)
        self.tasks_, code = np.unique(read_task_ids(X, task), return_inverse=True)
        classify = hasattr(self.model, "predict_proba")
        self.means_ = TaskMeans(task, classify=classify, least=float(classify))
        self.means_.fit(X, y, sample_weight)
        self.classes_ = np.unique(y)
        self.models_ = {}
        for k in range(len(self.tasks_)):
            rows = np.flatnonzero(code == k)
            if len(rows) < 2 or (classify and len(np.unique(y[rows])) < 2):
                continue
            told = {"groups": groups, "time": time, "sample_weight": sample_weight}
            told = {name: None if v is None else np.asarray(v)[rows] for name, v in told.items()}
            self.models_[k] = fit_held(clone(self.model), _safe_indexing(X, rows), y[rows], **told)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """What each row's own model predicts (n,)."""
        return self._asked("predict", X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the two classes (n, 2), by each row's own model."""
        return self._asked("predict_proba", X)

    def _asked(self, method: str, X: Any) -> np.ndarray:
        ids = read_task_ids(X, self.model.task)
        found: np.ndarray = np.array(getattr(self.means_, method)(X))
        for k, model in self.models_.items():
            rows = np.flatnonzero(ids == self.tasks_[k])
            if len(rows):
                found[rows] = getattr(model, method)(_safe_indexing(X, rows))
        return found


def alone_rival(estimators: Mapping[str, Any], name: str, sample: RowSample) -> dict[str, Any]:
    """The model of this name of each task alone; none where such fits cannot be had."""
    asked = estimators.get(name)
    numbers = sample.response.asks == "predict"
    two = sample.response.asks == "predict_proba" and len(sample.classes) == 2
    if asked is None or not (numbers or two):
        return {}
    parameters = final_step(asked).get_params(deep=False)
    if isinstance(parameters.get("task"), list) or "candidates" in parameters:
        return {}  # of a mixture no candidate asks for curves where there is one task
    if not isinstance(asked, Pipeline):
        return {name + ALONE: EachTaskAlone(clone(asked))}
    steps = clone(asked).steps
    return {name + ALONE: Pipeline([*steps[:-1], (steps[-1][0], EachTaskAlone(steps[-1][1]))])}
