"""How sure the clusters of a model are: whether they come back without a part of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from polytask.model_selection import TaskKFold
from polytask.tuning import fitted_strengths

__all__ = ["ClusterStability", "cluster_stability"]


@dataclass(frozen=True, eq=False)
class ClusterStability:
    """What refits without a fold of the rows say of the clusters of the whole fit.

    Parameters
    ----------
    tasks : ndarray of shape (m,)
        Ids.
    clusters : ndarray of shape (m,)
        Cluster of each task in the whole fit.
    together : ndarray of shape (m, m)
        Share of the refits in which two tasks were in one cluster.
    stability : ndarray of shape (m,)
        Of each task: how often a refit agrees with the whole fit on whether another task is in its
        cluster, the mean over the others; 1 where none ever changed.
    n_folds : int
        Refits.
    """

    tasks: np.ndarray
    clusters: np.ndarray
    together: np.ndarray
    stability: np.ndarray
    n_folds: int

    @property
    def text(self) -> str:
        """A sentence on how sure the clusters are."""
        least = int(self.stability.argmin())
        if self.stability[least] == 1.0:
            return f"The {self.n_folds} refits without a fold of the rows found the same clusters."
        return (
            f"On average {100 * self.stability.mean():.0f} % of the pairs were together, or apart, "
            f"in {self.n_folds} refits without a fold of the rows as in the whole fit; "
            f"least sure is {self.tasks[least]}, {100 * self.stability[least]:.0f} %."
        )


def cluster_stability(
    estimator: Any, X: Any, y: Any, *, n_folds: int = 10, random_state: Any = 0
) -> ClusterStability:
    """Refit a model of clusters without each fold of every task's rows, at its strengths.

    Parameters
    ----------
    estimator : fitted estimator
        With ``clusters_``, such as `TaskClustersRegressor`; it is left alone.
    X, y : table and target
        Those of the fit, without weights.
    n_folds : int, default=10
        Folds inside tasks, each left out once.
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Returns
    -------
    ClusterStability

    Raises
    ------
    ValueError
        If the estimator has no clusters.

    Examples
    --------
    >>> from polytask import TaskClustersRegressor
    >>> from polytask.datasets import make_clustered_tasks
    >>> from polytask.inspection import cluster_stability
    >>> X, y, _ = make_clustered_tasks(6, 5, 30, n_clusters=2, random_state=0)
    >>> model = TaskClustersRegressor(0.1, alpha_ridge=0.001, task="task").fit(X, y)
    >>> cluster_stability(model, X, y, n_folds=3).text
    'The 3 refits without a fold of the rows found the same clusters.'
    """
    if not hasattr(estimator, "clusters_"):
        raise ValueError(
            "cluster_stability: estimator must be fitted, with clusters_, such as "
            f"TaskClustersRegressor; got {type(estimator).__name__}."
        )
    model = clone(estimator).set_params(**fitted_strengths(estimator))
    folds = TaskKFold(n_folds, task=estimator.task, random_state=random_state)
    m = len(estimator.tasks_)
    together = np.zeros((m, m))
    for train, _ in folds.split(X, y):
        found = model.fit(_safe_indexing(X, train), _safe_indexing(y, train)).clusters_
        together += np.equal.outer(found, found)
    together /= n_folds
    same = np.equal.outer(estimator.clusters_, estimator.clusters_)
    agree = np.where(same, together, 1.0 - together)
    others = (agree.sum(axis=1) - 1.0) / (m - 1) if m > 1 else np.ones(1)
    return ClusterStability(estimator.tasks_, estimator.clusters_, together, others, n_folds)
