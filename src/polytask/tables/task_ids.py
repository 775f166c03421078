"""Task ids: whole numbers where all of them are, text otherwise."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from polytask.tables.columns import as_labels, inspect_column
from polytask.tables.errors import TableError
from polytask.tables.stored_types import no_ids

__all__ = ["check_repeats", "match_ids", "read_ids"]

WHOLE = re.compile(r"-?(0|[1-9]\d{0,18})")
STORED_AS_FLOAT = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
MISSING = "(no task id)"


def read_ids(values: pd.Series) -> tuple[pd.Series, str, tuple[str, ...]]:
    """Ids of the rows, how they are stored ("integer" or "text"), and what to know about them.

    ``1``, ``1.0`` and ``"1"`` are the same id; ``"01"`` is text, because ``01`` and ``1`` may be
    two tasks. Dates and booleans are ids like any other text.

    Examples
    --------
    >>> import pandas as pd
    >>> read_ids(pd.Series(["1.0", "2.0", "1.0"]))[0].tolist()
    [1, 2, 1]
    """
    column = inspect_column(values, categorical=True)
    if column.kind == "nested":
        raise TableError(no_ids(str(values.name), column.problem), "task")
    if pd.api.types.is_float_dtype(values.dtype) and np.isinf(values.astype(float)).any():
        raise TableError(f"must hold finite ids; {str(values.name)!r} holds infinity.", "task")
    if values.dtype in (np.int64, np.int32):
        return values.astype(np.int64), "integer", ()
    text = _text(values)
    codes, levels = pd.factorize(text)
    if (codes < 0).any():
        raise TableError(
            f"must hold an id in every row; {str(values.name)!r} holds none in "
            f"{(codes < 0).sum()} of {len(codes)} rows. Drop these rows.",
            "task",
        )
    if _whole(pd.Series(levels, dtype=object)).all():
        whole = levels.astype(np.int64)[codes]
        return pd.Series(whole, values.index, name=values.name), "integer", ()
    notes: tuple[str, ...] = ()
    numbers = pd.to_numeric(text, errors="coerce").notna().all()
    if numbers and text.str.contains(".", regex=False).any():
        notes = (
            f"The task ids in {str(values.name)!r} are numbers with fractions, which looks like "
            "a measurement rather than an id: is it the right column?",
        )
    return text, "text", notes


def check_repeats(n_tasks: int, n_rows: int, task: str) -> None:
    """Refuse a task column of which every row has a value of its own."""
    if n_tasks == n_rows > 2:
        raise TableError(
            f"must name a column whose values repeat; in {task!r} each of the {n_rows} rows has a "
            "value of its own. Choose the column that says which rows belong together.",
            "task",
        )


def match_ids(values: pd.Series, stored: str, known: Iterable[int | str]) -> pd.Series:
    """Ids of new rows in the form of the training ids; ``known`` decides nothing but the form.

    An id that is missing, or cannot have that form, becomes an id that no known task has.
    """
    text = _text(values).where(values.notna(), MISSING)
    if stored == "text":
        return text
    ids = set(known)
    unknown = next(number for number in itertools.count() if number not in ids)
    return text.where(_whole(text), str(unknown)).astype(np.int64)


def _whole(text: pd.Series) -> pd.Series:
    """Which ids are whole numbers of 64 bits; larger ones stay text."""
    fits = text.map(lambda t: bool(WHOLE.fullmatch(t)) and -(2**63) <= int(t) < 2**63)
    return fits.astype(bool)


def _text(values: pd.Series) -> pd.Series:
    if values.dtype == object:  # 1, 1.0 and True may be three
        return as_labels(values).map(_unfloat, na_action="ignore").astype(object)
    codes, levels = pd.factorize(values)  # one text for each id, not for each row
    texts = _text(pd.Series(levels).astype(object)).to_numpy()
    return pd.Series(np.append(texts, np.nan)[codes], values.index, name=values.name, dtype=object)


def _unfloat(text: str) -> str:
    whole = STORED_AS_FLOAT.fullmatch(text)
    return whole.group(1) if whole else text
