"""Polytask: multi-task learning for tables with a task column.

Every estimator is at the top level (``polytask.MeanRegularizedRegressor``) and loaded when first
asked for, so that ``import polytask`` costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.2.0"

_ROOMS = {
    "MeanRegularizedSurvival": "polytask.models.survival",
    "PooledSurvival": "polytask.models.survival",
    "QuantilesRegressor": "polytask.models.quantiles",
    "ScaledTargetRegressor": "polytask.models.scaled_target",
    "SingleTaskSurvival": "polytask.models.survival",
    "SourceBlocks": "polytask.models.source_blocks",
    "TaskInterceptSurvival": "polytask.models.shared_frailty",
    "StreamPreparer": "polytask.sources.prepare",
    "WithinBetween": "polytask.sources.within_between",
    "TaskMoments": "polytask.data",
    "low_rank_path": "polytask.models.paths",
    "strength_path": "polytask.models.paths",
    "read_moments": "polytask.sources.moments",
    "show_versions": "polytask.inspection.installed",
    "stack_tasks": "polytask.data",
    "to_onnx": "polytask.export",
}


def __getattr__(name: str) -> Any:
    """Public names, each from the room that it lives in."""
    if name in _ROOMS:
        return getattr(importlib.import_module(_ROOMS[name]), name)
    if name == "TRUSTED_TYPES":
        from polytask.models.trusted import trusted_types

        return trusted_types()
    if name == "__all__":  # of `from polytask import *`; networks need an extra, so they are named
        from polytask.models.registry import estimators

        return sorted([*estimators(), *_ROOMS])
    if not name.startswith("_"):
        from polytask.models.registry import NEURAL_ESTIMATORS, estimators

        if name in NEURAL_ESTIMATORS:
            return getattr(importlib.import_module(NEURAL_ESTIMATORS[name]), name)
        if name in estimators():
            return estimators()[name]
    raise AttributeError(f"module 'polytask' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names."""
    from polytask.models.registry import NEURAL_ESTIMATORS, estimators

    return sorted([*estimators(), *NEURAL_ESTIMATORS, *_ROOMS, "TRUSTED_TYPES", "__version__"])
