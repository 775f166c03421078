"""The shared hidden layer: one network for all tasks, heads near a common head."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.neural.base import MultiTaskNetwork
from polytask.neural.network import Architecture
from polytask.neural.roles import NetworkClassifierRole, NetworkRegressorRole

__all__ = ["SharedHiddenLayerClassifier", "SharedHiddenLayerRegressor"]


class _SharedHiddenLayer(MultiTaskNetwork):
    """min over h, w0, ΔW: R(h, w0 + Δw_i) + alpha ‖ΔW‖_F² + alpha_common ‖w0‖² + weight_decay ‖V‖².

    f_i(x) = (w0 + Δw_i)'h(x) + b0 + Δb_i with hidden layers h (weights V) that all tasks share,
    alpha_intercept ‖Δb‖² on the intercepts, and R the mean over tasks of the mean loss over rows,
    under mini-batches too: a batch deals every task's rows evenly, so that its estimate of R has
    R as its expectation. Large alpha pools the heads; without hidden layers this is
    `MeanRegularized`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64,)
        Widths of the hidden layers. None, ``()``, leaves a linear model.
    activation : {"relu", "tanh", "identity", "logistic", "gelu", "silu", "elu"}, default="relu"
    loss : str or dict, default="auto"
        Of the regressor "squared", "huber", "poisson", "gamma", "tweedie" or "binomial"; a dict
        gives each task id one of them, or "logistic" or "multinomial", and heads are tied within a
        kind. "auto" is squared for the regressor, logistic or, with more than two classes,
        multinomial for the classifier.
    huber_delta : float, default=1.35
        Where Huber's loss turns linear, in units of y.
    alpha : float or "auto", default="auto"
        Strength that pulls the heads to their common part; larger means more alike. "auto" is
        10 / N for N observations (a sample weight of 2 is two), so that the pull on a task fades
        as its rows grow.
    alpha_common : float, default=0.0
        Ridge strength on w0.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the intercepts together. "auto" is alpha.
    weight_decay : float, default=0.0
        Ridge strength on the hidden layers, part of the objective whatever the optimizer.
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task, or a wide y.
    task_weight : "equal", "size", "uncertainty" or dict, default="equal"
        Whether tasks or rows weigh alike in R, a weight by task id, or weights learned with a
        variance for each task (Kendall et al. 2018).
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or predict it by the common head.
    gradient_aggregation : str or Aggregator, optional
        Aggregator of torchjd for the tasks' gradients: "upgrad", "pcgrad", "mgda", "cagrad",
        "imtl_g", "aligned_mtl", "nash_mtl", ... For at most 50 tasks.
    track_conflicts : bool, default=False
        Whether ``history_["gradient_conflict"]`` keeps, for the first batch of each epoch, the
        share of pairs of tasks whose gradients point apart.
    optimizer : {"adam", "sgd", "lbfgs"}, default="adam"
        "lbfgs" uses all rows at once: for small, and for convex problems.
    learning_rate : float, default=0.003
        Of Adam and sgd.
    batch_size : int, "auto" or None, default="auto"
        Observations (with a wide y, rows) in a batch; None is all. "auto" is a twentieth of them,
        within 32 and 1024, so that an epoch has about twenty steps or more.
    max_iter : int, default=200
        Epochs at most.
    tol : float, default=1e-4
        Smallest fall of the watched loss that counts, in units of the spread of y; for lbfgs the
        largest partial derivative.
    early_stopping : bool, default=True
        Whether a validation part with rows of every task that can spare one chooses the epoch;
        its best weights are kept. Otherwise the training loss is watched.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=20
        Epochs without a better loss after which training ends.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last fit to the same tasks.
    device : str, default="auto"
        "auto" is a GPU where PyTorch finds one, else the CPU. Weights are kept as numpy arrays.
    dtype : {"float32", "float64"}, default="float32"
        Precision of training; predictions are made in float64.
    random_state : int, RandomState or None, default=None
        Seed of weights, batches and validation part. The same seed on the CPU gives the same
        numbers.
    verbose : int, default=0
        1 prints a line for each tenth of ``max_iter``.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        All weights, in units of y.
    head_coef_, deviation_head_coef_ : ndarray of shape (m, k)
        w0 + Δw_i and Δw_i; where every task has one output.
    common_head_coef_ : ndarray of shape (k,)
        w0.
    tasks_, kinds_ : ndarray of shape (m,)
    task_classes_ : list of ndarray or None
    classes_ : ndarray
        Labels of a classifier, sorted.
    scale_, offset_ : ndarray of shape (m,)
        Units of each task's target in training.
    alpha_ : float
    history_ : dict of str to ndarray
        "train_loss", "validation_loss" (R, without penalties) and "gradient_conflict" by epoch.
    task_weights_ : ndarray of shape (m,)
        Learned weights (``task_weight="uncertainty"``).
    objective_ : float
        R on the training part plus penalties, at ``weights_``.
    n_iter_ : int
        Epochs.
    status_ : str
        Why training ended.

    References
    ----------
    Caruana, Multitask learning, Machine Learning 28, 1997.

    Examples
    --------
    >>> from polytask import SharedHiddenLayerRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> model = SharedHiddenLayerRegressor((8,), task="task", max_iter=5, random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.head_coef_.shape
    ((60,), (3, 8))
    """

    alpha_common: float = 0.0
    alpha_intercept: float | str = "auto"
    gradient_aggregation: Any = None
    track_conflicts: bool = False

    _tying = "tied"
    _parameter_constraints = {
        "alpha_common": [Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "task_weight": [StrOptions({"equal", "size", "uncertainty"}), Mapping],
        "gradient_aggregation": [None, str, callable],
        "track_conflicts": ["boolean"],
    }

    def _architecture(self) -> Architecture:
        level = self.alpha_ if self.alpha_intercept == "auto" else float(self.alpha_intercept)
        return Architecture(
            "tied", self._widths(), self.activation, self.alpha_, self.alpha_common, level,
            self.weight_decay,
        )  # fmt: skip

    def hidden_features(self, X: Any) -> np.ndarray:
        """h(x) of every row, shape (n, k): features that suit all tasks."""
        return self._hidden_features(X)

    @property
    def head_coef_(self) -> np.ndarray:
        """w0 + Δw_i, shape (m, k)."""
        return self.common_head_coef_ + self.deviation_head_coef_

    @property
    def deviation_head_coef_(self) -> np.ndarray:
        """Δw_i, shape (m, k)."""
        return self._one_head("deviation")

    @property
    def common_head_coef_(self) -> np.ndarray:
        """w0, shape (k,)."""
        return self._one_head("common.weight")[0]


class SharedHiddenLayerRegressor(NetworkRegressorRole, _SharedHiddenLayer):
    """A network with a hidden layer for all tasks and a head for each; targets of any kind."""


class SharedHiddenLayerClassifier(NetworkClassifierRole, _SharedHiddenLayer):
    """A network with a hidden layer for all tasks and a head for each; the same classes in all."""
