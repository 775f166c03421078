"""Pooling in the same class of model: one network that does not know the tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytask.neural.base import MultiTaskNetwork
from polytask.neural.roles import NetworkClassifierRole, NetworkRegressorRole

__all__ = ["PooledNetworkClassifier", "PooledNetworkRegressor"]


class _PooledNetwork(MultiTaskNetwork):
    """min over one network f for all tasks: R(f, ..., f) + alpha ‖w‖² + weight_decay ‖V‖².

    w is the output layer and V the hidden layers; R is the mean over tasks of the mean loss over
    rows, so a task of few rows counts as much as a task of many (``task_weight="equal"``).

    Parameters
    ----------
    hidden_layer_sizes, activation, huber_delta, weight_decay, task, task_weight, unseen
        As in `SharedHiddenLayerRegressor`; the same answer for every task, seen or not, so
        ``unseen`` is "common" unless told otherwise.
    loss : {"auto", "squared", "huber", "poisson", "gamma", "tweedie", "binomial"}, default="auto"
        One kind for all tasks.
    alpha : float or "auto", default="auto"
        Ridge strength on the output layer. "auto" is 0.
    optimizer, learning_rate, batch_size, max_iter, tol, early_stopping, validation_fraction, \
n_iter_no_change, warm_start, device, dtype, random_state, verbose
        As in `SharedHiddenLayerRegressor`.

    Attributes
    ----------
    weights_ : dict of str to ndarray
    tasks_, kinds_ : ndarray of shape (m,)
    task_classes_ : list of ndarray or None
    classes_ : ndarray
        Labels of a classifier, sorted.
    scale_, offset_ : ndarray of shape (m,)
        Units of each task's target in training.
    alpha_ : float
    history_ : dict of str to ndarray
    objective_, n_iter_, status_

    Examples
    --------
    >>> from polytask import PooledNetworkRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> model = PooledNetworkRegressor((8,), task="task", max_iter=5, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (60,)
    """

    loss: str = "auto"
    unseen: str = "common"

    _tying = "common"
    _auto_alpha = 0.0
    joint = False  # for comparisons: a baseline that does not know the tasks

    def hidden_features(self, X: Any) -> np.ndarray:
        """h(x) of every row, shape (n, k)."""
        return self._hidden_features(X)


class PooledNetworkRegressor(NetworkRegressorRole, _PooledNetwork):
    """One network for all tasks, for numbers."""

    _parameter_constraints = {"loss": [str]}


class PooledNetworkClassifier(NetworkClassifierRole, _PooledNetwork):
    """One network for all tasks, for classes."""
