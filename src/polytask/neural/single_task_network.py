"""Single-task learning in the same class of model: a network per task, trained all at once."""

from __future__ import annotations

from polytask.neural.base import MultiTaskNetwork
from polytask.neural.roles import NetworkClassifierRole, NetworkRegressorRole

__all__ = ["SingleTaskNetworkClassifier", "SingleTaskNetworkRegressor"]


class _SingleTaskNetwork(MultiTaskNetwork):
    """min over networks f_i alone: R(f_1, ..., f_m) + sum_i (alpha ‖w_i‖² + weight_decay ‖V_i‖²).

    w_i is the output layer and V_i the hidden layers of the network of task i, and R is the mean
    over tasks of the mean loss over rows. The networks share nothing, so neither do their scales,
    their best epochs or their random starts; their weights are stacked, and one batched product
    trains them all instead of a loop over tasks.

    Parameters
    ----------
    hidden_layer_sizes, activation, loss, huber_delta, weight_decay, task
        As in `SharedHiddenLayerRegressor`, for each network.
    alpha : float or "auto", default="auto"
        Ridge strength on the output layers. "auto" is 0.
    task_weight : {"equal", "size"} or dict, default="equal"
        Weights of the tasks in R, which separate networks feel in their penalties only.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or average the outputs of all networks.
    batch_size : int, "auto" or None, default="auto"
        Rows of the largest task in a batch; None is all. "auto" is a twentieth of them, within 32
        and 1024. Other tasks give rows in proportion, so that an epoch is one pass for each.
    optimizer, learning_rate, max_iter, tol, early_stopping, validation_fraction, \
n_iter_no_change, warm_start, device, dtype, random_state, verbose
        As in `SharedHiddenLayerRegressor`. Each network keeps the weights of its own best epoch.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Stacked weights: the first axis is the task.
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
    >>> from polytask import SingleTaskNetworkRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> model = SingleTaskNetworkRegressor((8,), task="task", max_iter=5, random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.weights_["body.weights.0"].shape
    ((60,), (3, 4, 8))
    """

    _tying = "separate"
    _auto_alpha = 0.0
    joint = False  # for comparisons: tasks learn alone


class SingleTaskNetworkRegressor(NetworkRegressorRole, _SingleTaskNetwork):
    """A network per task; targets of any kind."""


class SingleTaskNetworkClassifier(NetworkClassifierRole, _SingleTaskNetwork):
    """A network per task; the same classes in all."""
