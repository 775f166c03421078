"""The task column: finding it in any kind of table, reading ids, leaving the features."""

from __future__ import annotations

import decimal
import difflib
import warnings
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from polytask.data.frames import frame_columns, frame_names, is_frame, without_columns
from polytask.data.task_spec import Spec, column_names, spelled_out, unit_of

__all__ = ["drop_task_column", "read_task_ids"]

_NUMBERS = (int, float, np.integer, np.floating, decimal.Decimal)
_NO_IDS = (dict, list, set, tuple, np.ndarray, complex, bytes)


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


def as_table(X: Any) -> Any:
    """A frame, an array or a sparse matrix of which rows can be taken; text among numbers stays."""
    if sparse.issparse(X):
        return X if X.format in ("csr", "csc") else X.tocsr()
    if hasattr(X, "shape") or is_frame(X):
        return X
    found = np.asarray(X)
    return np.asarray(X, dtype=object) if found.dtype.kind in "US" else found


def drop_task_column(X: Any, task: Spec) -> Any:
    """``X`` without its task column, in the same kind of container; of several, without all."""
    X = as_table(X)
    columns = column_names(spelled_out(task, frame_columns(X)))
    gone = {_place(X, name) for name in columns}
    if sparse.issparse(X):
        return without_columns(X.tocsc(), gone).tocsr()
    return without_columns(X, gone)


def _column_values(X: Any, task: str | int) -> np.ndarray:
    X = as_table(X)
    place = _place(X, task)
    if not is_frame(X):
        return X.tocsc()[:, [place]].toarray().ravel() if sparse.issparse(X) else X[:, place]
    if isinstance(X, pd.DataFrame):
        native = X.iloc[:, place]
        if isinstance(native.dtype, np.dtype) and native.dtype.kind in "iu":
            return native.to_numpy()
        series = nw.from_native(native, series_only=True)
    else:
        series = nw.from_native(X, eager_only=True).get_column(frame_names(X)[place])
    if series.is_null().any():
        raise ValueError(_missing_message(task, int(series.is_null().sum())))
    if series.dtype.is_integer() and series.dtype not in (nw.Int128, nw.UInt128):
        return series.to_numpy()  # NumPy has no whole numbers of 128 bits
    if series.dtype == nw.String:  # one text for each id, not for each row
        found, code = _text_codes(series)
        return found[code]
    return np.fromiter(series.to_list(), dtype=object, count=len(series))


def _text_codes(series: nw.Series[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct texts, and the place of each row's among them."""
    pairs = pc.dictionary_encode(series.to_arrow())
    pairs = pairs.combine_chunks() if isinstance(pairs, pa.ChunkedArray) else pairs
    texts = pairs.dictionary.to_pylist()
    return np.array(texts, dtype=str if texts else object), pairs.indices.to_numpy()


def _place(X: Any, task: str | int) -> int:
    """Position of the task column among the columns of X."""
    if not is_frame(X):
        return _position(X.shape[1], task)
    names = frame_names(X)
    if task in names:  # tables may have integer column names
        return names.index(task)
    if not isinstance(task, str):
        return _position(len(names), task)
    close = difflib.get_close_matches(task, [str(c) for c in names], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" Columns are {names[:10]}."
    raise ValueError(f"task must be a column of X; got {task!r}, which X does not have.{hint}")


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
