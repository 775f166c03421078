"""What a skops loader has to trust to load a polytask model."""

from __future__ import annotations

from polytask.models.registry import NEURAL_ESTIMATORS, estimators
from polytask.responses import Cox, Multinomial, responses

__all__ = ["trusted_types"]

# Around estimators, kept by them, or in a pipeline before them.
_BESIDE = (
    "polytask.data.moments.TaskMoments",
    "polytask.models._on_bends.ClassifierOnBends",
    "polytask.models._on_bends.RegressorOnBends",
    "polytask.models.quantiles.QuantilesRegressor",
    "polytask.models._on_columns.HeadsClassifier",
    "polytask.models._on_columns.HeadsRegressor",
    "polytask.models.scaled_target.ScaledTargetRegressor",
    "polytask.models.source_blocks.SourceBlocks",
    "polytask.models.shared_frailty.TaskInterceptSurvival",
    "polytask.models.survival.MeanRegularizedSurvival",
    "polytask.models.survival.PooledSurvival",
    "polytask.models.survival.SingleTaskSurvival",
    "polytask.sources.prepare.StreamPreparer",
    "polytask.sources.within_between.WithinBetween",
)


def trusted_types() -> list[str]:
    """Fully qualified names for ``skops.io.load(..., trusted=polytask.TRUSTED_TYPES)``."""
    found = [*responses().values(), Multinomial, Cox]  # the last two without a name for ``loss``
    kinds = [f"{c.__module__}.{c.__qualname__}" for c in found]
    linear = [f"{c.__module__}.{c.__qualname__}" for c in estimators().values()]
    neural = [f"{module}.{name}" for name, module in NEURAL_ESTIMATORS.items()]
    return sorted([*linear, *neural, *kinds, *_BESIDE])
