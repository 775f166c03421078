"""What a skops loader has to trust to load a polytask model."""

from __future__ import annotations

from polytask.models.registry import NEURAL_ESTIMATORS, estimators

__all__ = ["trusted_types"]

# Kept by estimators, or in a pipeline before them.
_BESIDE = ("polytask.data.moments.TaskMoments", "polytask.sources.prepare.StreamPreparer")


def trusted_types() -> list[str]:
    """Fully qualified names for ``skops.io.load(..., trusted=polytask.TRUSTED_TYPES)``."""
    linear = [f"{c.__module__}.{c.__qualname__}" for c in estimators().values()]
    return sorted(
        [*linear, *_BESIDE, *(f"{module}.{name}" for name, module in NEURAL_ESTIMATORS.items())]
    )
