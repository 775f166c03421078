"""What a skops loader has to trust to load a polytask model."""

from __future__ import annotations

from polytask.models.registry import estimators

__all__ = ["trusted_types"]


def trusted_types() -> list[str]:
    """Fully qualified names for ``skops.io.load(..., trusted=polytask.TRUSTED_TYPES)``."""
    return sorted(f"{c.__module__}.{c.__qualname__}" for c in estimators().values())
