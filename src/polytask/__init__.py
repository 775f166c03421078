"""Polytask: multi-task learning for tables with a task column.

Every estimator is at the top level (``polytask.MeanRegularizedRegressor``) and loaded when first
asked for, so that ``import polytask`` costs nothing.
"""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Public names, each from the room that it lives in."""
    if name == "stack_tasks":
        from polytask.data import stack_tasks

        return stack_tasks
    if name == "TRUSTED_TYPES":
        from polytask.models.trusted import trusted_types

        return trusted_types()
    if not name.startswith("_"):
        from polytask.models import estimators

        if name in estimators():
            return estimators()[name]
    raise AttributeError(f"module 'polytask' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names."""
    from polytask.models import estimators

    return sorted([*estimators(), "TRUSTED_TYPES", "__version__", "stack_tasks"])
