"""What estimators around another one share."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin

from polytask.models.estimator import Estimator

__all__ = ["AroundRegressor"]


class AroundRegressor(RegressorMixin, Estimator):
    """Takes its task column from ``estimator``, and its words from the fitted ``estimator_``."""

    estimator: Any

    @property
    def task(self) -> Any:
        """The task column of the estimator."""
        return getattr(self.estimator, "task", None)

    @property
    def unseen(self) -> str:
        """What the estimator does with tasks that were not in training."""
        return str(getattr(self.estimator, "unseen", "error"))

    @property
    def notes_(self) -> tuple[str, ...]:
        """What the estimator says was done."""
        return tuple(getattr(self.estimator_, "notes_", ()))

    def __sklearn_tags__(self) -> Any:
        """Tags of the estimator."""
        tags = super().__sklearn_tags__()
        inner = self.estimator.__sklearn_tags__().input_tags
        tags.input_tags.sparse, tags.input_tags.allow_nan = inner.sparse, inner.allow_nan
        tags.target_tags.required = True
        return tags
