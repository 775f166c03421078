"""A model of a target that is scaled by task or transformed, with predictions of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import skew
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from polytask.data import Rows, read_raw_rows, task_codes
from polytask.models._around import AroundRegressor
from polytask.models.held_fit import fit_held
from polytask.responses import Response

__all__ = ["ScaledTargetRegressor", "may_take_log"]

_LEAST_ROWS, _SKEWED = 30, 0.5


def may_take_log(y: np.ndarray) -> bool:
    """Whether targets are positive, and skewed to the right until their logarithm is taken.

    Examples
    --------
    >>> import numpy as np
    >>> even = np.linspace(0, 2, 50)
    >>> may_take_log(np.exp(even)), may_take_log(even + 1)
    (True, False)
    """
    if len(y) < _LEAST_ROWS or not (np.isfinite(y) & (y > 0)).all() or np.ptp(y) == 0:
        return False
    skewness = float(skew(y))
    return skewness > _SKEWED and abs(float(skew(np.log(y)))) < skewness


class ScaledTargetRegressor(AroundRegressor):
    """Fits an estimator to z = log(y), or to y divided by its task's spread, or both in turn.

    Everything is learned from the training rows and undone in `predict`, so that metrics are those
    of y. The spread of a task is its standard deviation; those of tasks with few rows are drawn
    towards the others, on the scale of logarithms, by as much as chance makes them differ.

    A mean of logarithms is not the logarithm of a mean. Predictions are exp(f) times the sum of y
    over that of exp(f), over the training rows of the task and drawn towards that of all rows.
    This is Duan's smearing with weights exp(f), by which rows that f misses by far count little.

    Parameters
    ----------
    estimator : estimator
        The regressor; its parameter ``task`` names the task column.
    transform : {None, "log"}, default=None
        "log" wants positive targets, and makes effects into factors.
    scale : {None, "task"}, default=None
        "task" takes every task in units of its own, as of assays in different units.

    Attributes
    ----------
    estimator_ : estimator
        Fitted to the scaled target.
    tasks_ : ndarray of shape (m,)
    task_scale_ : ndarray of shape (m,)
        What z was divided by.
    smearing_ : ndarray of shape (m,)
        What exp(f) is multiplied by; ones without a transformation. Rows count by their weights.

    References
    ----------
    Duan, Smearing estimate: a nonparametric retransformation method, JASA 78, 1983.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import PooledRegressor, ScaledTargetRegressor
    >>> X = np.column_stack([np.tile([0.0, 1.0, 2.0, 3.0], 2), np.repeat([0, 1], 4)])
    >>> y = np.repeat([1.0, 1000.0], 4) * X[:, 0]
    >>> model = ScaledTargetRegressor(PooledRegressor(alpha=0.0, task=1), scale="task").fit(X, y)
    >>> model.predict([[4.0, 0], [4.0, 1]]).round().tolist()
    [4.0, 3816.0]
    """

    _parameter_constraints = {
        "estimator": [BaseEstimator],
        "transform": [None, StrOptions({"log"})],
        "scale": [None, StrOptions({"task"})],
    }

    def __init__(
        self, estimator: Any, *, transform: str | None = None, scale: str | None = None
    ) -> None:
        self.estimator = estimator
        self.transform = transform
        self.scale = scale

    def _loss(self) -> Response:
        """How predictions are judged."""
        found: Response = self.estimator._loss()
        return found

    def _fit_around(
        self, X: Any, rows: Rows, y: np.ndarray, sample_weight: Any, held: dict[str, Any]
    ) -> None:
        code = self._read_tasks(rows)
        z = self._forward(y.astype(np.float64))
        self.task_scale_ = _spreads(z, code, len(self.tasks_), self.scale is not None)
        scaled = z / self.task_scale_[code]
        self.estimator_ = fit_held(clone(self.estimator), X, scaled, sample_weight, **held)
        self.smearing_ = np.ones(len(self.tasks_))
        if self.transform is not None:
            f = self.estimator_.predict(X) * self.task_scale_[code]
            weight = np.ones(len(z)) if sample_weight is None else np.asarray(sample_weight, float)
            self.smearing_ = _drawn(z - f, f, weight, code, len(self.tasks_))

    def predict(self, X: Any) -> np.ndarray:
        """Expected targets, shape (n,); of new tasks by the tasks' typical spread."""
        check_is_fitted(self)
        rows = read_raw_rows(self, X, reset=False)
        code = task_codes(rows.ids, self.tasks_, rows.X.shape[0])
        return self._back(np.asarray(self.estimator_.predict(X)), code)

    def left_out(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray | None:
        """Expected targets of the training rows from fits without each, at what the fit learned.

        In the order of tasks; None where the estimator knows none.
        """
        check_is_fitted(self)
        if not hasattr(self.estimator_, "left_out"):
            return None
        rows = read_raw_rows(self, X, reset=False)
        code = task_codes(rows.ids, self.tasks_, rows.X.shape[0])
        scaled = self._forward(np.asarray(y, dtype=np.float64)) / self.task_scale_[code]
        f = self.estimator_.left_out(X, scaled, sample_weight)
        return None if f is None else self._back(f, np.sort(code))

    def _back(self, f: np.ndarray, code: np.ndarray) -> np.ndarray:
        """Targets of what the estimator predicts for rows of tasks ``code``; -1 is a new one."""
        typical = float(np.exp(np.log(self.task_scale_).mean()))
        f = f * np.append(self.task_scale_, typical)[code]
        if self.transform is None:
            return f
        return np.asarray(np.exp(f) * np.append(self.smearing_, self.smearing_.mean())[code])

    def _read_tasks(self, rows: Rows) -> np.ndarray:
        ids = np.zeros(rows.X.shape[0], dtype=np.int64) if rows.ids is None else rows.ids
        self.tasks_, code = np.unique(ids, return_inverse=True)
        return code

    def _forward(self, y: np.ndarray) -> np.ndarray:
        if self.transform is None:
            return y
        place = np.flatnonzero(~(y > 0))
        if len(place):
            raise ValueError(
                f"{type(self).__name__}: y must be positive for transform='log'; got {y[place[0]]} "
                f"in row {place[0]}. For amounts with zeros among them take loss='tweedie', for "
                "counts loss='poisson'."
            )
        return np.log(y)

    def __sklearn_tags__(self) -> Any:
        """Tags of the estimator; positive targets for logarithms."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.transform is not None
        return tags


def _spreads(z: np.ndarray, code: np.ndarray, m: int, by_task: bool) -> np.ndarray:
    """Standard deviation of each task, drawn towards the others; ones where none are wanted."""
    if not by_task:
        return np.ones(m)
    n = np.bincount(code, minlength=m)
    mean = np.bincount(code, z, m) / n
    square = np.bincount(code, (z - mean[code]) ** 2, m) / np.maximum(n - 1, 1)
    known = (n > 1) & (square > 1e-24 * mean**2)
    if not known.any():
        return np.ones(m)
    chance = 2.0 / np.maximum(n - 1, 1)  # variance of the logarithm of a variance
    log = np.log(np.where(known, square, 1.0))
    typical = float(np.median(log[known]))
    between = max(float(np.var(log[known]) - chance[known].mean()), 0.0)
    trust = np.where(known, between / (between + chance), 0.0)
    return np.asarray(np.exp(0.5 * (typical + trust * (log - typical))))


def _drawn(
    residual: np.ndarray, f: np.ndarray, weight: np.ndarray, code: np.ndarray, m: int
) -> np.ndarray:
    """Ratio sum y / sum exp(f) by task, drawn towards that of all as far as chance makes it differ.

    Where f overshoots beyond any target, only ratios of exp(f) are numbers.
    """
    w = weight * np.exp(f - f.max())
    value = np.exp(residual)
    n = np.maximum(np.bincount(code, w, m), 1e-300)
    mean, whole = np.bincount(code, w * value, m) / n, float(w @ value / w.sum())
    chance = np.bincount(code, (w * (value - whole)) ** 2, m) / n**2
    between = max(float(np.average((mean - whole) ** 2 - chance, weights=n)), 0.0)
    return np.asarray(whole + (mean - whole) * between / np.maximum(between + chance, 1e-300))
