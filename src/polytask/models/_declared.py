"""Names that the parts of a model read of one another, so that a slip of a name is found early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.data.groupings import Grouping
from polytask.mixed.crossed.asked import CrossedData
from polytask.responses import Response

__all__ = ["Declared"]


class Declared:
    """What a part of a model may count on; it has no values of its own, only their types."""

    # Parameters.
    alpha: Any
    alpha_common: Any
    covariance: Any
    fit_intercept: Any
    n_factors: Any
    n_groupings: Any
    noise: Any
    task: Any
    task_weight: Any
    unseen: Any
    varying: Any
    weights: Any

    # What a fit found.
    alpha_: Any
    alpha_common_: Any
    alpha_intercept_: Any
    coef_: Any
    common_coef_: Any
    common_covariance_: Any
    common_intercept_: Any
    coef_covariance_: Any
    covariance_: Any
    deviation_coef_: Any
    deviation_covariances_: Any
    deviations_: Any
    groupings_: Any
    intercept_: Any
    response_: Any
    tasks_: Any
    training_weight_: Any
    varying_: Any
    _center: np.ndarray
    _groupings_: Any
    _mixed_state_: Any
    _rows_seen: Any
    _wide: bool

    # What the other parts do.
    _answer_beside: Callable[..., Any]
    _asked_groupings: Callable[..., list[tuple[Any, ...]]]
    _common: Any
    _encode: Callable[..., np.ndarray]
    _feature_names: Callable[[int], list[Any]]
    _given: Any
    _keep: Any
    _keep_task: Any
    _learn: Any
    _learned: Callable[[], Response]
    _linear_predictor: Callable[[Any], np.ndarray]
    _loss: Callable[[], Response]
    _may_deviate: Any
    _read: Callable[..., tuple[TaskData, list[Grouping], list[np.ndarray]]]
    _read_again: Any
    _rows_of: Callable[[TaskData], CrossedData]
    _weighed: Any
