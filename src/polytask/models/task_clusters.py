"""Clustered: tasks form a few groups that nobody has to name."""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples
from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._box_base import BoxBase
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.solvers import Solution

__all__ = ["TaskClustersClassifier", "TaskClustersRegressor"]


class _TaskClusters(BoxBase):
    """min over W, M: R(W) + alpha eta (1 + eta) tr(W' (eta I + M)^-1 W), tr M = n_clusters.

    R is the mean over tasks of the mean loss over rows, W has a row per task, eta = alpha_ridge /
    alpha and 0 ⪯ M ⪯ I, M of shape (m, m). Were M the projection on clusters, this would be alpha
    times the squares within clusters plus alpha_ridge ‖W‖_F²; that M may be any such matrix makes
    it convex. The best W is that of `SharedSubspace`, whose M stands between features.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of clusters; as many as tasks make it a ridge.

    Attributes
    ----------
    clusters_ : ndarray of shape (m,)
        Cluster of each task, by k-means on ``coef_``; the first task is in cluster 0.
    cluster_margins_ : ndarray of shape (m,)
        Silhouette of each task, from -1 to 1; about zero stands between two clusters.
    task_relation_ : ndarray of shape (m, m)
        M: how much of each pair of tasks lies along the same cheap directions.

    References
    ----------
    Zhou, Chen and Ye, Clustered multi-task learning via alternating structure optimization, NIPS
    2011.
    Jacob, Bach and Vert, Clustered multi-task learning, NIPS 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import TaskClustersRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 3)), np.repeat(np.arange(6), 40)
    >>> y = (X[:, 0] - 2 * X[:, 1]) * np.where(task % 2, 1, -1) + 0.1 * rng.normal(size=240)
    >>> model = TaskClustersRegressor(0.1, alpha_ridge=0.001, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).clusters_
    array([0, 1, 0, 1, 0, 1])
    """

    n_clusters: int = 2

    size: ClassVar[str] = "n_clusters"
    _parameter_constraints = {"n_clusters": [Interval(Integral, 1, None, closed="left")]}

    tells: ClassVar = {"clusters_": "Clusters of tasks"}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        left, _, shares = self._directions()
        self.task_relation_ = (left.T * shares) @ left
        self.clusters_ = _clusters(self.coef_, self.n_clusters)
        apart = 1 < len(np.unique(self.clusters_)) < data.n_tasks
        self.cluster_margins_ = (
            silhouette_samples(self.coef_, self.clusters_) if apart else np.zeros(data.n_tasks)
        )


_DIGITS = 12  # to which coefficients are told apart


def _clusters(W: np.ndarray, k: int) -> np.ndarray:
    """Nearest of k centres, numbered in the order in which the tasks come to them."""
    if W.shape[1] == 0:  # nothing in which tasks could differ
        return np.zeros(len(W), dtype=int)
    W = np.round(W / (np.abs(W).max() or 1.0), _DIGITS)
    k = min(k, len(np.unique(W, axis=0)))
    found = KMeans(k, n_init=10, random_state=0).fit_predict(W)
    _, first, code = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[code])


class TaskClustersRegressor(RegressorRole, _TaskClusters):
    """Tasks in clusters, squared loss."""


class TaskClustersClassifier(ClassifierRole, _TaskClusters):
    """Tasks in clusters, logistic loss."""


FORMULATION = Formulation(
    name="task-clusters",
    title="Task clusters",
    objective="min over W, M: R(W) + alpha eta (1 + eta) tr(W' (eta I + M)^-1 W), tr M = k",
    regressor=TaskClustersRegressor,
    classifier=TaskClustersClassifier,
    default=False,
    order=70,
    group="clustered",
)
