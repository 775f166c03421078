"""The task column: finding it in any kind of table, reading ids, leaving the features."""

from __future__ import annotations

import decimal
import difflib
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.exceptions import DuplicateError
from scipy import sparse

from polytask.data.task_spec import Spec, column_names, spelled_out, unit_of

__all__ = [
    "drop_task_column",
    "frame_columns",
    "is_frame",
    "read_task_ids",
    "repeated_names",
    "to_array",
]

_NUMBERS = (int, float, np.integer, np.floating, decimal.Decimal)
_NO_IDS = (dict, list, set, tuple, np.ndarray, complex, bytes)


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


def read_task_ids(X: Any, task: Spec) -> np.ndarray:
    """Task id of every row, read from the column ``task`` of ``X``, the first of several.

    Parameters
    ----------
    X : table of shape (n, d + 1)
        pandas, polars or pyarrow table, numpy array or scipy sparse matrix.
    task : str, int or list of them
        Column name (tables) or integer position (any; negative counts from the end).

    Returns
    -------
    ids : ndarray of shape (n,)
        Strings or numbers. Whole numbers stored as floats come back as integers, so that a
        column that passed through a float array still matches.

    Raises
    ------
    ValueError
        If the column does not exist or holds missing ids.
    TypeError
        If an id is neither a string nor a number.
    """
    unit = unit_of(task, frame_columns(X))
    return _clean_ids(_column_values(X, unit), unit)


def drop_task_column(X: Any, task: Spec) -> Any:
    """``X`` without its task column, in the same kind of container; of several, without all."""
    columns = column_names(spelled_out(task, frame_columns(X)))
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        return frame.drop([_column_name(frame, name) for name in columns]).to_native()
    gone = {_position(X.shape[1], name) for name in columns}
    keep = [j for j in range(X.shape[1]) if j not in gone]
    if sparse.issparse(X):
        return X.tocsc()[:, keep].tocsr()
    X = np.asarray(X)
    if keep and keep == list(range(keep[0], keep[-1] + 1)):  # a view: nothing is copied
        return X[:, keep[0] : keep[-1] + 1]
    return X[:, keep]


def to_array(X: Any) -> Any:
    """Numbers of a table as an array; arrays and sparse matrices are returned unchanged."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True).to_numpy()
    return X


def refuse_dates(values: Any, what: str) -> None:
    """``what`` must be numbers, which dates have none of but by a unit."""
    found = ""
    if is_frame(values):
        schema = nw.from_native(values, eager_only=True).schema
        found = next((f"column {k!r} holds" for k, v in schema.items() if v.is_temporal()), "")
    elif getattr(getattr(values, "dtype", None), "kind", "") in ("m", "M"):
        found = "it holds"
    if found:
        raise TypeError(
            f"{what} must hold numbers; {found} dates or spans of time. Turn them into numbers "
            "first, such as days since the earliest date."
        )


def _column_values(X: Any, task: str | int) -> np.ndarray:
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        series = frame.get_column(_column_name(frame, task))
        if series.is_null().any():
            raise ValueError(_missing_message(task, int(series.is_null().sum())))
        if series.dtype.is_integer() and series.dtype not in (nw.Int128, nw.UInt128):
            return series.to_numpy()  # NumPy has no whole numbers of 128 bits
        if series.dtype == nw.String:  # one text for each id, not for each row
            found, code = _text_codes(series)
            return found[code]
        return np.fromiter(series.to_list(), dtype=object, count=len(series))
    if not hasattr(X, "shape"):
        X = np.asarray(X, dtype=object)
    position = _position(X.shape[1], task)
    if sparse.issparse(X):
        return X.tocsc()[:, [position]].toarray().ravel()
    return np.asarray(X)[:, position]


def _text_codes(series: nw.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct texts, and the place of each row's among them."""
    pairs = pc.dictionary_encode(series.to_arrow())
    pairs = pairs.combine_chunks() if isinstance(pairs, pa.ChunkedArray) else pairs
    texts = pairs.dictionary.to_pylist()
    return np.array(texts, dtype=str if texts else object), pairs.indices.to_numpy()


def _column_name(frame: nw.DataFrame[Any], task: str | int) -> Any:
    names = list(frame.columns)
    if isinstance(task, str):
        if task not in names:
            close = difflib.get_close_matches(task, [str(c) for c in names], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" Columns are {names[:10]}."
            raise ValueError(
                f"task must be a column of X; got {task!r}, which X does not have.{hint}"
            )
        return task
    if task in names:  # tables may have integer column names
        return task
    return names[_position(len(names), task)]


def _position(n_columns: int, task: str | int) -> int:
    if isinstance(task, str):
        raise ValueError(
            f"task must be an integer position when X has no column names; got {task!r}. "
            "Pass a pandas, polars or pyarrow table, or the position of the column."
        )
    if not -n_columns <= task < n_columns:
        raise ValueError(
            f"task must be the position of a column of X; got {task}, but X has {n_columns} "
            "columns."
        )
    return int(task) % n_columns


def _clean_ids(column: np.ndarray, task: str | int) -> np.ndarray:
    if column.dtype == object:
        column = _from_objects(column, task)
    if column.dtype.kind == "b":
        return column.astype(str)
    if column.dtype.kind in "iu":
        return _from_integers(column) if column.dtype == np.uint64 else column.astype(np.int64)
    if column.dtype.kind == "f":
        return _from_floats(column, task)
    if column.dtype.kind in "US":
        return _no_blanks(column.astype(str, copy=False), task)
    if column.dtype.kind in "mM":
        return column.astype(str)
    raise TypeError(f"argument must be a string or a number; task ids have type {column.dtype}.")


def _from_objects(column: np.ndarray, task: str | int) -> np.ndarray:
    """Ids in an object column: all numbers become numbers, anything else text, True as such."""
    missing = int(pd.isna(column).sum())
    if missing:
        raise ValueError(_missing_message(task, missing))
    if pd.api.types.infer_dtype(column, skipna=False) == "string":
        return _no_blanks(column.astype(str), task)
    truths = any(isinstance(v, bool | np.bool_) for v in column)
    if not truths and all(isinstance(v, _NUMBERS) for v in column):
        whole = all(isinstance(v, int | np.integer) or _is_whole_decimal(v) for v in column)
        return _from_integers(column) if whole else column.astype(float)
    for value in column:
        if isinstance(value, _NO_IDS):
            raise TypeError(
                "argument must be a string or a number; "
                f"the task column {task!r} holds {value!r}, a {type(value).__name__}."
            )
    return _no_blanks(column.astype(str), task)


def _no_blanks(column: np.ndarray, task: str | int) -> np.ndarray:
    """Text ids; blanks name no task, as in files."""
    missing = int(((column == "") | np.char.isspace(column)).sum())
    if missing:
        raise ValueError(_missing_message(task, missing))
    return column


def _is_whole_decimal(value: Any) -> bool:
    return isinstance(value, decimal.Decimal) and value == value // 1


def _from_integers(column: np.ndarray) -> np.ndarray:
    """Whole numbers in full: those above 2^53 are not all floats. Too large ones become text."""
    try:
        if column.dtype == object:
            return np.array([int(v) for v in column], dtype=np.int64)
        if column.max(initial=0) <= np.iinfo(np.int64).max:
            return column.astype(np.int64)
    except OverflowError:
        pass
    return np.array([str(int(v)) for v in column])


def _from_floats(column: np.ndarray, task: str | int) -> np.ndarray:
    limit = 2.0 ** (np.finfo(column.dtype).nmant + 1)  # from here floats skip whole numbers
    stored, column = column.dtype, column.astype(np.float64)  # half floats cannot hold the bound
    missing = int(np.isnan(column).sum())
    if missing:
        raise ValueError(_missing_message(task, missing))
    if not np.isfinite(column).all():
        raise ValueError(f"task ids must be finite; column {task!r} contains infinity.")
    whole = bool((column == np.round(column)).all())
    if whole and (np.abs(column) < limit).all():
        return column.astype(np.int64)
    warnings.warn(_doubtful_floats(column, task, whole, stored), UserWarning, stacklevel=2)
    return column


def _doubtful_floats(column: np.ndarray, task: str | int, whole: bool, stored: np.dtype) -> str:
    if whole:
        return (
            f"The task column {task!r} holds whole numbers up to {np.abs(column).max():.17g} as "
            f"{stored}, which cannot tell neighbours of that size apart: different ids may "
            "have become one. Pass ids as integers or strings."
        )
    return (
        f"The task column {task!r} looks continuous ({np.unique(column).size} distinct values with "
        "fractions among them). Is it the right column? Ids are best strings or integers."
    )


def _missing_message(task: str | int, count: int) -> str:
    return (
        f"task ids must not be missing; column {task!r} contains NaN, null or blanks in {count} "
        "row(s). Drop those rows or give them an id of their own."
    )


def frame_columns(X: Any) -> tuple[str, ...] | None:
    """Column names of a table as text; None for arrays and matrices."""
    if not is_frame(X):
        return None
    columns = X.columns if isinstance(X, pd.DataFrame) else nw.from_native(X).columns
    return tuple(map(str, columns))
