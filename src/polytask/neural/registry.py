"""The neural formulations as `polytask compare` offers them; found by name, never imported."""

from __future__ import annotations

from polytask.models.registry import Formulation
from polytask.neural.pooled_network import PooledNetworkClassifier, PooledNetworkRegressor
from polytask.neural.shared_hidden_layer import (
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
)
from polytask.neural.single_task_network import (
    SingleTaskNetworkClassifier,
    SingleTaskNetworkRegressor,
)

__all__ = ["FORMULATIONS"]

FORMULATIONS = (
    Formulation(
        name="single-task-network",
        group="neural",
        title="Single-task network",
        objective="min over each network f_i alone: R(f_1, ..., f_m) + alpha sum ||w_i||^2",
        regressor=SingleTaskNetworkRegressor,
        classifier=SingleTaskNetworkClassifier,
        default=False,
        order=100,
        joint=False,
    ),
    Formulation(
        name="pooled-network",
        group="neural",
        title="Pooled network",
        objective="min over one network f for all tasks: R(f, ..., f) + alpha ||w||^2",
        regressor=PooledNetworkRegressor,
        classifier=PooledNetworkClassifier,
        default=False,
        order=110,
    ),
    Formulation(
        name="shared-hidden-layer",
        group="neural",
        title="Shared hidden layer",
        objective="min over h, w0, DW: R(h, w0 + Dw_i) + alpha ||DW||_F^2 + alpha_common ||w0||^2",
        regressor=SharedHiddenLayerRegressor,
        classifier=SharedHiddenLayerClassifier,
        default=False,
        order=120,
    ),
)
