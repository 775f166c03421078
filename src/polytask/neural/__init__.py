"""Neural formulations on PyTorch, and heads for a network of one's own; nothing imports this room.

The estimators are also at the top level: ``polytask.SharedHiddenLayerRegressor``.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        'polytask.neural needs PyTorch, which is not installed: pip install "polytask[neural]"'
    ) from error

from polytask.neural.display import LearningHistoryDisplay
from polytask.neural.heads import CommonHead, MeanRegularizedHeads, SeparateHeads
from polytask.neural.pooled_network import PooledNetworkClassifier, PooledNetworkRegressor
from polytask.neural.shared_hidden_layer import (
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
)
from polytask.neural.single_task_network import (
    SingleTaskNetworkClassifier,
    SingleTaskNetworkRegressor,
)

__all__ = [
    "CommonHead",
    "LearningHistoryDisplay",
    "MeanRegularizedHeads",
    "PooledNetworkClassifier",
    "PooledNetworkRegressor",
    "SeparateHeads",
    "SharedHiddenLayerClassifier",
    "SharedHiddenLayerRegressor",
    "SingleTaskNetworkClassifier",
    "SingleTaskNetworkRegressor",
]
