"""What kind of thing each column holds, and how it becomes a feature.

Columns here are numbered 0, 1, 2 … by their index, so that messages can name rows from 1.
"""

from __future__ import annotations

import datetime
import decimal
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from polytask.sources.magnitudes import first_extreme, too_small
from polytask.tables.dates import are_dates, are_day_numbers
from polytask.tables.errors import TableError
from polytask.tables.number_cells import GAP_MARKS
from polytask.tables.number_columns import TextColumn, beside_numbers, take_numbers
from polytask.tables.row_counters import why_counter, why_names

__all__ = [
    "Column",
    "Kind",
    "as_feature",
    "as_labels",
    "as_numbers",
    "filled",
    "has_fractions",
    "inspect_column",
    "is_blank",
]

Kind = str
USABLE = ("numeric", "boolean", "categorical")
_SOME = 1000  # values that tell of most columns what they are
_NUMBER = (bool, int, float, np.number, np.bool_, decimal.Decimal)


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
    problem : str
        Why it cannot be a feature as it is, else "".
    remedy : str
        What to do about that.
    values : Series
        What it holds.
    as_labels : bool
        Whether its values were taken as labels whatever they are.
    """

    name: str
    kind: Kind
    missing: int
    problem: str = ""
    remedy: str = ""
    values: pd.Series = field(default_factory=pd.Series, repr=False, compare=False)
    as_labels: bool = field(default=False, repr=False, compare=False)

    @cached_property
    def distinct(self) -> int:
        """Distinct values that are not missing; of nested ones zero."""
        if self.kind in ("empty", "nested"):
            return 0
        return _distinct(_known(self.values, self.as_labels))

    @property
    def usable(self) -> bool:
        """Whether the column can be a feature."""
        return self.kind in USABLE


def inspect_column(
    values: pd.Series, *, categorical: bool = False, n_rows: int | None = None
) -> Column:
    """What a column holds; ``categorical=True`` takes its values as labels whatever they are.

    ``n_rows`` is the number of rows of the whole table where `values` are some of them.

    Examples
    --------
    >>> import pandas as pd
    >>> inspect_column(pd.Series([1.0, 2.0, None], name="age")).kind
    'numeric'
    """
    name = str(values.name)
    known = _known(values, categorical)
    if known.empty:
        return Column(name, "empty", len(values), "holds no value", "remove it or fill it")
    if _is_nested(known):
        example = type(known.iloc[0]).__name__
        problem, remedy = f"holds values of type {example}", "spread them over several columns"
        return Column(name, "nested", len(values) - len(known), problem, remedy)
    kind, problem, remedy = _kind(known, categorical, n_rows or len(values))
    if kind == "date":
        remedy = "derive numbers from it first: year, month, days since …"
    return Column(name, kind, len(values) - len(known), problem, remedy, values, categorical)


def _known(values: pd.Series, categorical: bool) -> pd.Series:
    return values[~is_blank(values)] if categorical else filled(values)


def _distinct(known: pd.Series) -> int:
    """How many values there are; of floats by order, which is faster than by hashes."""
    if not isinstance(known.dtype, np.dtype) or known.dtype.kind != "f":
        return int(known.nunique())
    ordered = np.sort(known.to_numpy())
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def as_feature(values: pd.Series, kind: Kind) -> pd.Series:
    """The column as the models' preprocessing takes it: floats, or text with NaN for missing.

    Raises
    ------
    TableError
        If a numeric column holds text, dates or infinity; the error names the first such value.
    """
    if kind == "categorical":
        return as_labels(values)
    numbers = as_numbers(values)
    first = first_extreme(numbers.to_numpy())
    if first is not None:
        raise TableError(
            f"column {str(values.name)!r} must be finite, and at most 1e100 in size; row "
            f"{values.index[first] + 1} holds {numbers.iloc[first]:g}. Correct the value, leave "
            "it empty, or change the unit."
        )
    if too_small(numbers.min(), numbers.max()):
        raise TableError(
            f"column {str(values.name)!r} must hold numbers above 1e-100 in size; the largest is "
            f"{numbers.abs().max():g}. Change the unit."
        )
    return numbers


def as_numbers(values: pd.Series) -> pd.Series:
    """A numeric column as floats, infinite ones among them."""
    known = filled(values)
    if known.empty:
        return pd.Series(np.nan, index=values.index, name=values.name)
    if _is_nested(known) or _is_temporal(known):
        what = "dates" if _is_temporal(known) else "nested values"
        raise TableError(_not_numeric(values, f"holds {what}, first {_first(known)}"))
    if types.is_numeric_dtype(known.dtype):
        return values.astype(float)
    if isinstance(known.dtype, pd.CategoricalDtype):
        known = known.astype(known.cat.categories.dtype)
        return as_numbers(known.reindex(values.index))
    plain = known.map(lambda v: float(v) if isinstance(v, _NUMBER) else None)
    if plain.notna().all():
        return plain.astype(float).reindex(values.index)
    found = take_numbers(TextColumn.of(known))
    if found.values is None:
        why = found.problem or f"holds text, first {_first(known)}"
        raise TableError(_not_numeric(values, why))
    return found.values.astype(float).reindex(values.index)


def as_labels(values: pd.Series) -> pd.Series:
    """Values as text, the same text for 1, 1.0 and "1", NaN for missing."""
    if isinstance(values.dtype, pd.StringDtype):  # one text for each label, not for each row
        codes, levels = pd.factorize(values)
        texts = pd.Series(levels, dtype=object)
        if not is_blank(texts).all():
            known = np.append(texts.mask(is_blank(texts), np.nan).to_numpy(), np.nan)
            return pd.Series(known[codes], values.index, name=values.name)
    text = values.astype(object).map(_label, na_action="ignore")
    return text.mask(is_blank(values), np.nan)


def _label(value: Any) -> str:
    if isinstance(value, float | np.floating | decimal.Decimal) and value == value // 1:
        return str(int(value))
    if isinstance(value, datetime.datetime | pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    return str(value)


def filled(values: pd.Series, *, words: bool = False) -> pd.Series:
    """The values that are there; where the others are numbers, words for a gap are gaps too.

    ``words=True`` leaves such words out among labels as well, where two other labels are left.
    """
    blank = is_blank(values)
    known = values[~blank] if blank.any() else values
    if not _is_text(known) or _is_nested(known):
        return known
    rest = known[~known.astype(str).str.strip().isin(GAP_MARKS)]
    if len(rest) == len(known):
        return known
    return rest if (words and rest.nunique() > 1) or _holds_values(rest) else known


def has_fractions(values: pd.Series) -> bool:
    """Whether these are numbers, not all of them whole: they are measured and name nothing."""
    if values.dtype.kind != "f":
        return False
    x = values.to_numpy()
    return any(bool((part > np.floor(part)).any()) for part in (x[:_SOME], x))


def is_blank(values: pd.Series) -> pd.Series:
    """Which values are missing, or text of nothing but blanks."""
    if isinstance(values.dtype, pd.StringDtype):
        return values.isna() | (values.str.strip() == "").fillna(False).astype(bool)
    if values.dtype != object:
        return values.isna()
    return values.isna() | values.map(lambda v: isinstance(v, str) and not v.strip()).astype(bool)


def _holds_values(known: pd.Series) -> bool:
    """Whether text is numbers or dates, or none is left: beside those, NA is no label."""
    if known.empty or are_dates(known.astype(str)):
        return True
    found = take_numbers(TextColumn.of(known))
    return found.values is not None or bool(found.problem)


def _kind(known: pd.Series, categorical: bool, n_rows: int) -> tuple[Kind, str, str]:
    if categorical or isinstance(known.dtype, pd.CategoricalDtype):
        return "categorical", "", ""
    if types.is_bool_dtype(known.dtype) or _are_truths(known):
        return "boolean", "", ""
    if _is_temporal(known):
        return "date", "holds dates", ""
    if counter := why_counter(known, n_rows):
        return "id", counter, "name it in --features if it is a measurement"
    if names := why_names(known):
        return "id", names, "name it in --categorical, or in --features if it is a measurement"
    if are_day_numbers(known):
        return "date", "holds days written as numbers", ""
    if types.is_numeric_dtype(known.dtype):
        return "numeric", "", ""
    return _object_kind(known, n_rows)


def _object_kind(known: pd.Series, n_rows: int) -> tuple[Kind, str, str]:
    if known.map(lambda v: isinstance(v, _NUMBER)).all():
        return _kind(known.astype(float), False, n_rows)
    text = known.astype(str)
    if are_dates(text):
        return "date", "holds dates", ""
    column = TextColumn.of(known)
    found = take_numbers(column)
    if found.values is not None:
        return _kind(found.values, False, n_rows)
    if found.problem:
        return "mixed", found.problem, found.remedy
    return _label_kind(text, column)


def _label_kind(text: pd.Series, column: TextColumn) -> tuple[Kind, str, str]:
    distinct = text.nunique()
    if (distinct == len(text) > 2) or (distinct > 50 and distinct > 0.5 * len(text)):
        if problem := beside_numbers(column):
            return "mixed", problem, "write plain numbers, or name it in --categorical"
        problem = f"has {distinct} distinct texts in {len(text)} rows, like an id"
        return "id", problem, "name it in --features if it is a category, or take it as the task"
    return "categorical", "", ""


def _are_truths(known: pd.Series) -> bool:
    return known.dtype == object and bool(known.map(type).isin([bool, np.bool_]).all())


def _is_temporal(known: pd.Series) -> bool:
    if types.is_datetime64_any_dtype(known.dtype) or types.is_timedelta64_dtype(known.dtype):
        return True
    if isinstance(known.dtype, pd.PeriodDtype):
        return True
    moments = (datetime.date, datetime.time, datetime.timedelta, pd.Period)
    return known.dtype == object and bool(known.map(lambda v: isinstance(v, moments)).all())


def _is_text(known: pd.Series) -> bool:
    return types.is_string_dtype(known.dtype) or known.dtype == object


def _is_nested(known: pd.Series) -> bool:
    if known.dtype != object:
        return bool(types.is_complex_dtype(known.dtype))
    containers = (list, tuple, dict, set, np.ndarray, bytes, complex)
    return bool(known.map(lambda v: isinstance(v, containers)).any())


def _first(known: pd.Series) -> str:
    return f"{str(known.iloc[0])!r} in row {known.index[0] + 1}"


def _not_numeric(values: pd.Series, why: str) -> str:
    return (
        f"column {str(values.name)!r} must be numeric; it {why}. Correct the values, or name marks "
        "that mean a gap in --missing."
    )
