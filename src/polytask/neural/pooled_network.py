"""Pooling in the same class of model: one network that does not know the tasks."""

from __future__ import annotations

from collections.abc import Sequence
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
    loss : {"auto", "squared", "huber", "poisson"}, default="auto"
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

    _tying = "common"
    _auto_alpha = 0.0
    joint = False  # for comparisons: a baseline that does not know the tasks

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        activation: str = "relu",
        *,
        loss: str = "auto",
        huber_delta: float = 1.35,
        alpha: float | str = "auto",
        weight_decay: float = 0.0,
        task: str | int | None = None,
        task_weight: Any = "equal",
        unseen: str = "common",
        optimizer: str = "adam",
        learning_rate: float = 0.003,
        batch_size: int | str | None = "auto",
        max_iter: int = 200,
        tol: float = 1e-4,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        warm_start: bool = False,
        device: str = "auto",
        dtype: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.huber_delta = huber_delta
        self.alpha = alpha
        self.weight_decay = weight_decay
        self.task = task
        self.task_weight = task_weight
        self.unseen = unseen
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def hidden_features(self, X: Any) -> np.ndarray:
        """h(x) of every row, shape (n, k)."""
        return self._hidden_features(X)


class PooledNetworkRegressor(NetworkRegressorRole, _PooledNetwork):
    """One network for all tasks, for numbers."""

    _parameter_constraints = {"loss": [str]}


class PooledNetworkClassifier(NetworkClassifierRole, _PooledNetwork):
    """One network for all tasks, for classes."""
