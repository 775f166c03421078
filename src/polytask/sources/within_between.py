"""The mean of a feature by task as one more feature: slopes inside and between tasks apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from polytask.data import all_or_nothing
from polytask.data.task_spec import unit_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WithinBetween"]


class WithinBetween(TransformerMixin, BaseEstimator):
    """Adds the mean by task of some columns, learned from the training rows.

    With x_ij and its task's mean m_i both in a linear model, the coefficient of x is the slope
    inside tasks, and that of m the slope between tasks less the one inside. Without m one
    coefficient has to mean both. A task that was not in training has the mean of its rows at hand,
    so its answers want its rows together.

    Parameters
    ----------
    columns : sequence of str
        Columns of numbers.
    task : str or list of groupings
        As of the models; means are by the first grouping.

    Attributes
    ----------
    unit_ : str
        The column of the first grouping.
    tasks_ : ndarray of shape (m,)
    means_ : ndarray of shape (m, len(columns))
        Over the values that are there; the mean of the other tasks where a task has none.
    feature_names_in_ : ndarray of str

    References
    ----------
    Mundlak, On the pooling of time series and cross section data, Econometrica 46, 1978.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"intake": [1.0, 3.0, 8.0], "school": ["a", "a", "b"]})
    >>> made = WithinBetween(["intake"], task="school").fit_transform(X)
    >>> made["mean of intake by school"].tolist()
    [2.0, 2.0, 8.0]
    """

    def __init__(self, columns: Sequence[str], *, task: Any) -> None:
        self.columns = columns
        self.task = task

    @all_or_nothing
    def fit(self, X: pd.DataFrame, y: Any = None) -> WithinBetween:
        """Learn the means.

        Raises
        ------
        ValueError
            If X lacks a column, one holds no numbers, or the table has the new names already.
        """
        self.unit_ = unit_of(self.task, list(getattr(X, "columns", ())))
        values = self._numbers(X)
        again = [name for name in self._made() if name in X]
        if again:
            raise ValueError(
                f"WithinBetween: X must not have a column of the name that is added; got "
                f"{again[0]!r}. Rename it."
            )
        means = values.groupby(X[self.unit_].to_numpy()).mean()
        self.tasks_ = means.index.to_numpy()
        self.means_ = means.fillna(means.mean()).fillna(0.0).to_numpy()
        self.feature_names_in_ = np.array([str(name) for name in X], dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The table with the means as further columns."""
        check_is_fitted(self, "means_")
        import pandas as pd

        values, ids = self._numbers(X), X[self.unit_].to_numpy()
        place = pd.Index(self.tasks_).get_indexer(ids)
        found, new = self.means_[place], place < 0
        if new.any():
            here = values[new].groupby(ids[new]).transform("mean")
            found[new] = here.fillna(dict(zip(self.columns, self.means_.mean(axis=0), strict=True)))
        return X.assign(**dict(zip(self._made(), found.T, strict=True)))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of `transform`."""
        check_is_fitted(self, "means_")
        return np.array([*self.feature_names_in_, *self._made()], dtype=object)

    def _made(self) -> list[str]:
        return [f"mean of {name} by {self.unit_}" for name in self.columns]

    def _numbers(self, X: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(X, "columns") or isinstance(self.columns, str) or not len(self.columns):
            raise ValueError(
                "WithinBetween: X must be a table with named columns, and columns a list of names "
                f"in it; got {type(X).__name__} and {self.columns!r}."
            )
        absent = [name for name in (*self.columns, self.unit_) if name not in X]
        if absent:
            raise ValueError(
                f"WithinBetween: X must have the column {absent[0]!r}. Name those it has."
            )
        for name in self.columns:
            if X[name].dtype.kind not in "iufb":
                raise ValueError(
                    f"WithinBetween: columns must hold numbers; {name!r} has the type "
                    f"{X[name].dtype}. Categories have no mean: leave it out."
                )
        return X[list(self.columns)].astype(np.float64)
