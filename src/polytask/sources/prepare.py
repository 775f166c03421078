"""Scaling, missing values and one-hot columns, from sums that any part of the rows adds to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from polytask.data import all_or_nothing
from polytask.data.before_ones import before_ones
from polytask.data.split_rows import is_worth_it
from polytask.data.task_spec import column_names, spelled_out
from polytask.sources.column_sums import CategorySums, NumberSums, as_text, is_number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_CATEGORIES", "StreamPreparer", "level_name", "scale_of"]

MAX_CATEGORIES = 50  # of a feature; the rarest share one column
_ROWS = 2048  # that are prepared at a time


class StreamPreparer(TransformerMixin, BaseEstimator):
    """Numbers to mean 0 and standard deviation 1, categories to 0/1 columns.

    Numbers: missing values become the mean of the others, with an indicator column where training
    had some. Categories: a column each; missing is a category of its own; the rarest share one
    column, which takes unseen categories too (without it they are all zeros). The task column
    passes untouched and comes last. `fit` learns it from a table in memory, ``fit_parquet`` in a
    first pass over files: the same sums, so the same columns.

    Next to its indicator the value that fills a gap only moves what the indicator's coefficient
    stands for, so the mean, which sums give exactly, serves as well as a median.

    Parameters
    ----------
    task : str or list of groupings
        Task column, or all columns of groupings.
    categorical : sequence of str or None
        Columns of labels; None is every column that holds no numbers.
    max_categories : int, default=50
        Columns made of one feature at most.

    Attributes
    ----------
    numbers_ : dict {name: (mean, scale, share missing)}
    levels_ : dict {name: list of categories}, None for missing
    rest_ : dict {name: bool}, whether rare categories share a column

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"a": [1.0, 3.0], "sex": ["F", "M"], "school": [1, 1]})
    >>> list(StreamPreparer(task="school").fit_transform(X))
    ['a', 'sex=F', 'sex=M', 'school']
    """

    def __init__(
        self,
        task: Any,
        *,
        categorical: Sequence[str] | None = None,
        max_categories: int = MAX_CATEGORIES,
    ) -> None:
        self.task = task
        self.categorical = categorical
        self.max_categories = max_categories

    @all_or_nothing
    def fit(self, X: pd.DataFrame, y: Any = None) -> StreamPreparer:
        """Means, scales and categories of a table that fits into memory."""
        table = _arrow(X)
        ids = self._ids(table.schema.names)
        names = [name for name in table.schema.names if name not in ids]
        sums = self.begin({name: table.schema.field(name).type for name in names})
        for batch in table.to_batches():
            add_columns(sums, {name: batch.column(name) for name in names})
        return self.settle(sums)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that models are fitted on, as floats, and the task column.

        Of many rows, columns of categories are sparse, which `pandas` reads like any others.
        """
        import pandas as pd

        check_is_fitted(self, "levels_")
        ids = self._ids(X.columns)
        absent = [name for name in (*self.feature_names_in_, *ids) if name not in X]
        if absent:
            raise ValueError(
                f"StreamPreparer: X must have the columns of training; it lacks {absent[:10]}."
            )
        names = self.features_made()
        if is_worth_it(len(X), sum(self.width(feature) for feature in self.levels_)):
            return self._sparse(X)
        made = before_ones(len(X), len(names))  # which models read as it is
        columns = {name: _one_chunk(_arrow(X[[name]]).column(0)) for name in self.feature_names_in_}
        for first in range(0, len(X), _ROWS):  # whose places in memory stay near the processor
            some = {name: column.slice(first, _ROWS) for name, column in columns.items()}
            for place, values in enumerate(self.columns_of(some)):
                made[first : first + _ROWS, place] = values
        table = pd.DataFrame(made, index=X.index, columns=pd.Index(names, dtype="str"), copy=False)
        for name in self._ids(X.columns):
            table[name] = X[name].to_numpy()
        return table

    def _sparse(self, X: pd.DataFrame) -> pd.DataFrame:
        """`transform` of many rows: memory holds the labels, not a float for each category."""
        import pandas as pd
        from scipy import sparse

        made: dict[str, Any] = {}
        for feature in self.feature_names_in_:
            column = _one_chunk(_arrow(X[[feature]]).column(0))
            if feature in self.numbers_:
                missing = (f"missingindicator_{feature}",)
                made |= zip((feature, *missing), self.columns_of_one(feature, column), strict=False)
                continue
            code = _codes(column, self.levels_[feature], self.rest_[feature])
            at = np.flatnonzero(code >= 0)
            ones = np.ones(len(at), dtype=np.uint8)
            shape = (len(X), self.width(feature))
            few = sparse.csc_array((ones, (at.astype(np.int32), code[at].astype(np.int32))), shape)
            read: Any = pd.DataFrame.sparse
            made |= read.from_spmatrix(few, columns=self.made_of(feature)).items()
        table = pd.DataFrame(made, copy=False).set_axis(X.index)
        for name in self._ids(X.columns):
            table[name] = X[name].to_numpy()
        return table

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of `transform`, the task last."""
        ids = self._ids(() if input_features is None else input_features)
        return np.array([*self.features_made(), *ids], dtype=object)

    def _ids(self, columns: Iterable[Any]) -> list[Any]:
        """Columns that pass untouched; a/b is a column where one is called so."""
        return column_names(spelled_out(self.task, list(columns)))

    def features_made(self) -> list[str]:
        """Names of the columns made, without the task."""
        check_is_fitted(self, "levels_")
        names: list[str] = []
        for feature in self.feature_names_in_:
            names += self.made_of(feature)
        return names

    def made_of(self, feature: str) -> list[str]:
        """Names of the columns made from one of the features."""
        if feature in self.numbers_:
            missing = self.numbers_[feature][2] > 0
            return [feature, f"missingindicator_{feature}"] if missing else [feature]
        names = [level_name(feature, level) for level in self.levels_[feature]]
        return [*names, f"{feature}=(rest)"] if self.rest_[feature] else names

    # For rows that come in batches.

    def begin(self, kinds: Mapping[str, pa.DataType]) -> dict[str, NumberSums | CategorySums]:
        """Empty sums for columns of these types."""
        return {
            name: CategorySums() if self._is_category(name, kind) else NumberSums()
            for name, kind in kinds.items()
        }

    def settle(self, sums: Mapping[str, NumberSums | CategorySums]) -> StreamPreparer:
        """Take what sums over all rows say."""
        ids = [n for n, s in sums.items() if isinstance(s, CategorySums) and s.too_many]
        if ids:
            raise ValueError(
                f"StreamPreparer: column {ids[0]!r} must have fewer categories; it looks like an "
                "id. Leave it out with features=[...]."
            )
        for name, found in sums.items():
            if isinstance(found, NumberSums):
                found.check(name)
        self.feature_names_in_ = np.array(list(sums), dtype=object)
        self.numbers_ = {n: s.summary() for n, s in sums.items() if isinstance(s, NumberSums)}
        self.levels_, self.rest_ = {}, {}
        for name, found in sums.items():
            if isinstance(found, CategorySums):
                self.levels_[name], self.rest_[name] = found.most_frequent(self.max_categories)
        return self

    def width(self, feature: str) -> int:
        """How many columns are made of a feature."""
        if feature in self.numbers_:
            return 1 + (self.numbers_[feature][2] > 0)
        return len(self.levels_[feature]) + self.rest_[feature]

    def columns_of(self, columns: Mapping[str, pa.Array]) -> list[np.ndarray]:
        """The columns made of a batch, in the order of `get_feature_names_out`."""
        return [
            c for name in self.feature_names_in_ for c in self.columns_of_one(name, columns[name])
        ]

    def columns_of_one(self, feature: str, column: pa.Array) -> list[np.ndarray]:
        """The columns made of one feature."""
        if feature in self.numbers_:
            return _scaled(column, *self.numbers_[feature])
        return _one_hot(column, self.levels_[feature], self.rest_[feature])

    def _is_category(self, name: str, kind: pa.DataType) -> bool:
        if self.categorical is not None and name in self.categorical:
            return True
        return not is_number(kind)


def level_name(feature: str, level: Any) -> str:
    """Name of the column of one category, such as ``sex=F``; missing is ``sex=(missing)``."""
    return f"{feature}=(missing)" if level is None or level != level else f"{feature}={level}"


def add_columns(
    sums: Mapping[str, NumberSums | CategorySums], columns: Mapping[str, pa.Array]
) -> None:
    """Add a batch to the sums of every column."""
    for name, found in sums.items():
        found.add(columns[name], name)


def _scaled(column: pa.Array, mean: float, scale: float, share: float) -> list[np.ndarray]:
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    missing = np.isnan(values)
    scaled = np.where(missing, 0.0, (values - mean) / scale)
    if share == 0:
        return [scaled]
    return [scaled, (missing - share) / scale_of(share * (1.0 - share))]


def scale_of(variance: float) -> float:
    """What a column of this variance is divided by."""
    return float(np.sqrt(variance)) if variance > 0 else 1.0


def _one_hot(column: pa.Array, levels: Sequence[Any], rest: bool) -> list[np.ndarray]:
    code = _codes(column, levels, rest)
    return [(code == k).astype(np.float64) for k in range(len(levels) + int(rest))]


def _codes(column: pa.Array, levels: Sequence[Any], rest: bool) -> np.ndarray:
    """Which of the columns of a category each row has its one in; -1 for none."""
    known = pa.array([level for level in levels if level is not None], type=pa.string())
    text = as_text(column)
    at = pc.index_in(text, value_set=known)
    missing = text.is_null().to_numpy(zero_copy_only=False)
    code = pc.fill_null(at, -1).to_numpy()
    code = np.where(missing, len(known) if None in levels else -1, code)
    return np.where(code < 0, len(levels), code) if rest else code


def _arrow(X: Any) -> pa.Table:
    return X if isinstance(X, pa.Table) else pa.Table.from_pandas(X, preserve_index=False)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
