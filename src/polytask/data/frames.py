"""What is read of any kind of table: names, numbers, columns; of pandas without a detour.

Other tables are read through narwhals, which takes longer than a small fit to look at a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from narwhals.exceptions import DuplicateError
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

__all__ = [
    "check_columns", "frame_columns", "frame_names", "is_frame", "is_plain", "refuse_dates",
    "repeated_names", "to_array", "without_columns",
]  # fmt: skip


def is_frame(X: Any) -> bool:
    """Whether X is a table with column names (pandas, polars, pyarrow).

    Raises
    ------
    ValueError
        If a name stands over two columns: no argument could say which is meant.
    TypeError
        If the table is a plan that nobody has carried out.
    """
    if isinstance(X, (np.ndarray, pd.Series)):  # the most common answers take no search
        return False
    if isinstance(X, pd.DataFrame):
        if not X.columns.is_unique:
            raise ValueError(f"A table {repeated_names(X.columns)}")
        return True
    try:
        found = nw.from_native(X, pass_through=True)
    except DuplicateError as error:
        names = X.column_names if hasattr(X, "column_names") else X.columns
        raise ValueError(f"A table {repeated_names(names)}") from error
    if isinstance(found, nw.LazyFrame):
        raise TypeError(
            f"A table must be in memory; got a {type(X).__name__}, which is a plan. Collect it "
            "first."
        )
    return isinstance(found, nw.DataFrame)


def repeated_names(names: Iterable[Any], place: str = "") -> str:
    """The rest of a sentence about a table whose column names are not distinct; else "".

    Examples
    --------
    >>> repeated_names(["age", "sex", "age"])
    "must have distinct column names; got 'age' more than once. Rename or remove the copies."
    """
    twice = [str(name) for name, count in Counter(names).items() if count > 1]
    if not twice:
        return ""
    shown = ", ".join(map(repr, twice[:8])) + (f" and {len(twice) - 8} more" * (len(twice) > 8))
    return (
        f"must have distinct column names; got {shown} more than once{place}. "
        "Rename or remove the copies."
    )


def frame_names(X: Any) -> list[Any]:
    """Column names of a table as they are: tables of pandas may have numbers."""
    if isinstance(X, pd.DataFrame):
        return X.columns.tolist()
    return list(nw.from_native(X, eager_only=True).columns)


def frame_columns(X: Any) -> tuple[str, ...] | None:
    """Column names of a table as text; None for arrays and matrices."""
    return tuple(map(str, frame_names(X))) if is_frame(X) else None


def check_columns(estimator: BaseEstimator, X: Any, *, reset: bool) -> None:
    """Names and number of a table's columns are recorded, or those of `fit`.

    As scikit-learn does, which is asked where there is something to say.
    """
    if isinstance(X, pd.DataFrame):
        names = np.array(frame_names(X), dtype=object)
        if reset and names.ndim == 1 and {type(name) for name in names} == {str}:
            estimator.feature_names_in_, estimator.n_features_in_ = names, len(names)
            return
        if not reset and np.array_equal(getattr(estimator, "feature_names_in_", ()), names):
            return
    validate_data(estimator, X, skip_check_array=True, reset=reset)


def without_columns(X: Any, gone: set[int]) -> Any:
    """A table or array without some columns; a view where those that stay are in a row."""
    keep = [j for j in range(X.shape[1]) if j not in gone]
    in_a_row = bool(keep) and keep[-1] - keep[0] == len(keep) - 1
    at: Any = slice(keep[0], keep[-1] + 1) if in_a_row else keep
    if isinstance(X, pd.DataFrame):
        return X.iloc[:, at]
    if not is_frame(X):
        return X[:, at]
    names = frame_names(X)
    return nw.from_native(X, eager_only=True).drop([names[j] for j in gone]).to_native()


def to_array(X: Any) -> Any:
    """Numbers of a table as an array; arrays and sparse matrices are returned unchanged."""
    if not is_frame(X):
        return X
    return X.to_numpy() if is_plain(X) else nw.from_native(X, eager_only=True).to_numpy()


def is_plain(X: Any) -> bool:
    """Whether all is of numpy's numbers, in which nobody else has a say."""
    if not isinstance(X, pd.DataFrame):
        return False
    return all(isinstance(t, np.dtype) and t.kind in "biuf" for t in X.dtypes)


def refuse_dates(values: Any, what: str) -> None:
    """``what`` must be numbers, which dates have none of but by a unit."""
    found = ""
    if is_frame(values):
        if is_plain(values):
            return
        schema = nw.from_native(values, eager_only=True).schema
        found = next((f"column {k!r} holds" for k, v in schema.items() if v.is_temporal()), "")
    elif getattr(getattr(values, "dtype", None), "kind", "") in ("m", "M"):
        found = "it holds"
    if found:
        raise TypeError(
            f"{what} must hold numbers; {found} dates or spans of time. Turn them into numbers "
            "first, such as days since the earliest date."
        )
