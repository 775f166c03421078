"""The baseline that looks at no feature: the mean of each task."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from polytask.data import read_task_ids, read_weight
from polytask.models.survival import PooledSurvival
from polytask.responses import Response

__all__ = ["TASK_MEANS", "TaskMeans", "drawn_means", "means_for"]

TASK_MEANS = "task-means"  # its name in a comparison


class TaskMeans(BaseEstimator):
    """Mean target of each task's rows, drawn to that of all rows by as much as it is uncertain.

    The mean of task i weighs n_i / (n_i + lambda), lambda the ratio of the variance inside tasks
    to that between their means, estimated by moments (one-way random effects). Of labels these are
    shares of the classes. An unseen task has the mean of all rows. n_i are rows, or the sum of
    their weights in units of the mean weight.

    Parameters
    ----------
    task : str or int
        Task column of X.
    classify : bool, default=False
        Whether y are labels or ordered levels.
    quantiles : tuple of float, default=()
        What is predicted instead: the mean, and this quantile of all rows about theirs.
    least : float, default=0.0
        Least lambda, in rows: keeps a share or a mean count of few rows off zero.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, chapter 3.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0], [0], [1], [1]]), np.array([1.0, 1.2, 3.0, 3.2])
    >>> TaskMeans(task=0).fit(X, y).predict(X[[0, 2]]).round(2).tolist()
    [1.1, 3.1]
    """

    def __init__(
        self, task: str | int, *, classify: bool = False, least: float = 0.0,
        quantiles: tuple[float, ...] = (),
    ) -> None:  # fmt: skip
        self.task = task
        self.classify = classify
        self.least = least
        self.quantiles = quantiles

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Means of the tasks of X and y, of rows with weights (n,)."""
        self.tasks_, code = np.unique(read_task_ids(X, self.task), return_inverse=True)
        y = np.asarray(y)
        w = read_weight(sample_weight, np.zeros(len(y)))
        w = w / w.mean()
        if self.classify:
            self.classes_ = np.unique(y)
            y = y[:, None] == self.classes_
        Y = y.astype(float).reshape(len(y), -1)
        centre = np.average(Y, axis=0, weights=w)
        total = np.column_stack([np.bincount(code, w * column) for column in (Y - centre).T])
        square = float((w * ((Y - centre) ** 2).T).sum())
        means, self.pull_ = drawn_means(np.bincount(code, w), total, square, self.least)
        self.mean_, self.means_ = centre, centre + means
        if self.quantiles:
            self.rest_ = np.quantile((Y - self.means_[code])[:, 0], self.quantiles)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Mean of each row's task (n,), or the class with the largest share."""
        found = self._found(X)
        if self.quantiles:
            return self.predict_quantiles(X)[:, 0]
        return self.classes_[found.argmax(axis=1)] if self.classify else found[:, 0]

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """The quantiles of each row's task, (n, K)."""
        return self._found(X) + self.rest_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shares of the classes in each row's task, (n, K)."""
        return self._found(X)

    def _found(self, X: Any) -> np.ndarray:
        ids = read_task_ids(X, self.task)
        at = np.minimum(np.searchsorted(self.tasks_, ids), len(self.tasks_) - 1)
        found: np.ndarray = np.where((self.tasks_[at] == ids)[:, None], self.means_[at], self.mean_)
        return found


class TaskCurves(BaseEstimator):
    """Of times to an event: the survival curve of each task, whatever the features.

    Parameters
    ----------
    task : str or int
        Task column of X.
    """

    title = "Task curves"

    def __init__(self, task: str | int) -> None:
        self.task = task

    def fit(self, X: Any, y: Any) -> Self:
        """The curves of the tasks of X and y."""
        self.model_ = PooledSurvival(0.0, task=0).fit(self._ids(X), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Zeros (n,): of no row is more known than its task."""
        return self.model_.predict(self._ids(X))

    def predict_survival(self, X: Any, times: Any) -> np.ndarray:
        """Probability that the event comes after each time, (n, number of times)."""
        return self.model_.predict_survival(self._ids(X), times)

    def _ids(self, X: Any) -> np.ndarray:
        ids = read_task_ids(X, self.task)
        return np.column_stack([ids.astype(object), np.zeros(len(ids))])  # of no feature


def means_for(response: Response, task: str | int) -> TaskMeans | TaskCurves:
    """That of a kind of target."""
    if response.kind == "survival":
        return TaskCurves(task)
    least = 0.5 if response.reaches_boundary else 0.0
    classify = response.asks == "predict_proba"
    return TaskMeans(task, classify=classify, least=least, quantiles=response.quantiles)


def drawn_means(
    n: np.ndarray, total: np.ndarray, square: float, least: float
) -> tuple[np.ndarray, float]:
    """Means of tasks (m, K) drawn to that of all rows, and lambda; infinite if they are all one.

    Parameters
    ----------
    n : ndarray of shape (m,)
        Rows of the tasks, or the sums of their weights, positive.
    total : ndarray of shape (m, K)
        Sums of their targets.
    square : float
        Sum of the squares of all of them.
    """
    n = n[:, None].astype(float)
    m, rows = len(n), float(n.sum())
    mean, means = total.sum(axis=0) / rows, total / n
    between = float((n * (means - mean) ** 2).sum())
    noise = (square - float((n * means**2).sum())) / max(rows - m, 1.0)
    spread = between - (m - 1) * noise
    if spread <= 0 or rows <= m:
        return np.broadcast_to(mean, means.shape), np.inf
    pull = max(noise * (rows - float((n**2).sum()) / rows) / spread, least)
    return mean + n / (n + pull) * (means - mean), pull
