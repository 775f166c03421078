"""What estimators around another one share."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from polytask.data import Rows, all_or_nothing, forget, read_raw_rows
from polytask.models.estimator import Estimator

__all__ = ["AroundRegressor"]


class AroundRegressor(RegressorMixin, Estimator):
    """Takes its task column from ``estimator``, and its words from the fitted ``estimator_``."""

    estimator: Any

    # What a model says.

    def _fit_around(
        self, X: Any, rows: Rows, y: np.ndarray, sample_weight: Any, held: dict[str, Any]
    ) -> None:
        """Fit to X, which was read as ``rows``, and targets (n,); ``held``: groups and time."""
        raise NotImplementedError

    # The same for all.

    @all_or_nothing
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Fit to a long table with a task column.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
        y : array of shape (n,)
        sample_weight, groups, time : array of shape (n,), optional
            As of the estimator.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the parameters or y are not what the class asks for.
        """
        self._validate_params()
        forget(self)
        rows, target = read_raw_rows(self, X, reset=True), column_or_1d(np.asarray(y))
        self._fit_around(X, rows, target, sample_weight, {"groups": groups, "time": time})
        return self

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
