"""What kind of thing each column holds, and how it becomes a feature.

Columns here are numbered 0, 1, 2 … by their index, so that messages can name rows from 1.
"""

from __future__ import annotations

import datetime
import decimal
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from polytask.tables.errors import TableError

__all__ = ["Column", "Kind", "as_feature", "as_labels", "inspect_column"]

Kind = str
USABLE = ("numeric", "boolean", "categorical")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
COMMA_NUMBER = re.compile(r"[-+]?\d+(,\d+)+(\.\d+)?|[-+]?\d+,\d+")
ROW_COUNTERS = re.compile(r"(unnamed: \d+|index|id|row|rowid|row[ _.]?(id|nr|no|number)|.*_id|)")


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    name : str
    kind : {"numeric", "boolean", "categorical", "date", "id", "empty", "mixed", "nested"}
        The first three can be features. "mixed" is a numeric column with text in it.
    missing : int
        Missing values.
    distinct : int
        Distinct values that are not missing.
    problem : str
        Why it cannot be a feature as it is, else "".
    remedy : str
        What to do about that.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    problem: str = ""
    remedy: str = ""

    @property
    def usable(self) -> bool:
        """Whether the column can be a feature."""
        return self.kind in USABLE


def inspect_column(values: pd.Series, *, categorical: bool = False) -> Column:
    """What a column holds; ``categorical=True`` takes its values as labels whatever they are.

    Examples
    --------
    >>> import pandas as pd
    >>> inspect_column(pd.Series([1.0, 2.0, None], name="age")).kind
    'numeric'
    """
    name = str(values.name)
    known = values.dropna()
    if known.empty:
        return Column(name, "empty", len(values), 0, "holds no value", "remove it or fill it")
    if _is_nested(known):
        example = type(known.iloc[0]).__name__
        problem, remedy = f"holds values of type {example}", "spread them over several columns"
        return Column(name, "nested", len(values) - len(known), 0, problem, remedy)
    kind, problem, remedy = _kind(known, categorical)
    return Column(name, kind, len(values) - len(known), int(known.nunique()), problem, remedy)


def as_feature(values: pd.Series, kind: Kind) -> pd.Series:
    """The column as the models' preprocessing takes it: floats, or text with NaN for missing.

    Raises
    ------
    TableError
        If a numeric column holds text or infinity; the error names the first such value.
    """
    if kind == "categorical":
        return as_labels(values)
    numbers = pd.to_numeric(_plain(values), errors="coerce").astype(float)
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        raise TableError(_text_among_numbers(values, wrong))
    endless = np.isinf(numbers.to_numpy())
    if endless.any():
        first = int(np.flatnonzero(endless)[0])
        raise TableError(
            f"column {str(values.name)!r} must be finite; row {values.index[first] + 1} holds "
            f"{numbers.iloc[first]}. Correct the value, or leave it empty."
        )
    return numbers


def as_labels(values: pd.Series) -> pd.Series:
    """Values as text, the same text for 1, 1.0 and "1", NaN for missing."""
    text = values.astype(object).map(_label, na_action="ignore")
    return text.where(values.notna(), np.nan)


def _label(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    return str(value)


def _plain(values: pd.Series) -> pd.Series:
    """Nullable, decimal and boolean columns as something that pd.to_numeric takes."""
    if types.is_bool_dtype(values.dtype) or values.dtype == object:
        return values.map(
            lambda v: float(v) if isinstance(v, bool | np.bool_ | decimal.Decimal) else v,
            na_action="ignore",
        )
    return values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values


def _kind(known: pd.Series, categorical: bool) -> tuple[Kind, str, str]:
    if categorical or isinstance(known.dtype, pd.CategoricalDtype):
        return "categorical", "", ""
    if types.is_bool_dtype(known.dtype) or known.map(type).isin([bool, np.bool_]).all():
        return "boolean", "", ""
    if types.is_datetime64_any_dtype(known.dtype) or types.is_timedelta64_dtype(known.dtype):
        return _date()
    if types.is_numeric_dtype(known.dtype) and not types.is_complex_dtype(known.dtype):
        return _numeric_kind(known)
    return _object_kind(known)


def _numeric_kind(known: pd.Series) -> tuple[Kind, str, str]:
    name = str(known.name).strip().lower()
    whole = len(known) > 2 and types.is_integer_dtype(known.dtype)
    run = whole and known.is_unique and known.max() - known.min() == len(known) - 1
    if run and ROW_COUNTERS.fullmatch(name):
        return "id", "counts the rows", "name it in --features if it is a measurement"
    return "numeric", "", ""


def _object_kind(known: pd.Series) -> tuple[Kind, str, str]:
    if known.map(lambda v: isinstance(v, datetime.date | datetime.time)).all():
        return _date()
    if known.map(lambda v: isinstance(v, decimal.Decimal)).all():
        return "numeric", "", ""
    text = known.astype(str)
    if text.str.fullmatch(DATE).all():
        return _date()
    if text.str.fullmatch(COMMA_NUMBER).all():
        problem = f"holds numbers with commas, first {text.iloc[0]!r} in row {known.index[0] + 1}"
        return "mixed", problem, "write them with a decimal point and no thousands separator"
    is_number = pd.to_numeric(text, errors="coerce").notna()
    if is_number.all() and not text.str.fullmatch(r"0\d+").any():  # 007 is a code
        return "numeric", "", ""
    if not is_number.all() and is_number.mean() >= 0.5:
        return "mixed", *_mixed(known, is_number)
    return _label_kind(text)


def _mixed(known: pd.Series, is_number: pd.Series) -> tuple[str, str]:
    first = is_number.index[~is_number.to_numpy()][0]
    return (
        f"holds text among its numbers, first {str(known[first])!r} in row {first + 1}",
        "correct the value, leave it empty if it is missing, or name the column in --categorical",
    )


def _label_kind(text: pd.Series) -> tuple[Kind, str, str]:
    distinct = text.nunique()
    if (distinct == len(text) > 2) or (distinct > 50 and distinct > 0.5 * len(text)):
        problem = f"has {distinct} distinct texts in {len(text)} rows, like an id"
        return "id", problem, "name it in --features if it is a category"
    return "categorical", "", ""


def _date() -> tuple[Kind, str, str]:
    return "date", "holds dates", "derive numbers from it first (year, month, days since …)"


def _is_nested(known: pd.Series) -> bool:
    if known.dtype != object:
        return bool(types.is_complex_dtype(known.dtype))
    containers = (list, tuple, dict, set, np.ndarray, bytes, complex)
    return bool(known.map(lambda v: isinstance(v, containers)).any())


def _text_among_numbers(values: pd.Series, wrong: pd.Series) -> str:
    first = int(np.flatnonzero(wrong.to_numpy())[0])
    return (
        f"column {str(values.name)!r} must be numeric; row {values.index[first] + 1} holds "
        f"{str(values.iloc[first])!r}. Correct the value, or leave it empty if it is missing."
    )
