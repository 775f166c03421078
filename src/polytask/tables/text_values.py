"""From a table of text to a table of values: numbers, truth values, gaps; the rest stays text.

Every door goes through here, so that ``NA`` or ``1.045,15`` mean the same in CSV and in Parquet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from polytask.tables.csv_columns import all_match, plain_numbers
from polytask.tables.errors import TableError, name_list
from polytask.tables.number_cells import GAP_MARKS, MARKS
from polytask.tables.number_columns import Numbers, TextColumn, shown_mark, take_numbers

__all__ = ["AS_FOUND", "Conventions", "are_truths", "is_plain", "settle_values", "without_commas"]

_TRUTH_WORDS = r"^([tT]rue|TRUE|[fF]alse|FALSE)$"
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True)
class Conventions:
    """What a user says about how values are written.

    Attributes
    ----------
    missing : tuple of str
        Marks that mean a gap, in every column.
    decimal : {"", ".", ","}
        The mark before decimals, "" to find it.
    """

    missing: tuple[str, ...] = ()
    decimal: str = ""

    def __post_init__(self) -> None:
        if self.decimal not in ("", *MARKS):
            raise TableError(f"must be '.' or ','; got {self.decimal!r}.", "decimal")


AS_FOUND = Conventions()


@dataclass(eq=False)
class _Found:
    """What was said on the way."""

    shown: set[str] = field(default_factory=set)
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, numbers: Numbers) -> None:
        for kind, example in numbers.said:
            self.said.setdefault(kind, []).append((name, example))
        if numbers.unit:
            self.units[name] = numbers.unit


def settle_values(
    table: pd.DataFrame,
    as_text: Callable[[str], bool],
    given: Conventions,
    *,
    points: bool = True,
    shown: bool = False,
) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, str]]:
    """Make values of the text columns of ``table``.

    Parameters
    ----------
    table : DataFrame
        Changed in place, column by column, so that memory holds no column twice.
    as_text : callable
        Of which columns only gaps are looked for.
    given : Conventions
    points : bool
        Whether a point before three digits stands before decimals where nothing tells: in files
        with commas between fields, but not with semicolons.
    shown : bool
        Whether columns that are numbers already have shown that points stand before decimals.

    Returns
    -------
    table : DataFrame
    notes : tuple of str
    units : dict of str to str
        Currency or unit that was left off, by column.
    """
    found = _Found({"."} if shown else set())
    waiting: dict[str, TextColumn] = {}
    for name in table.columns:
        kept = as_text(str(name))
        column = _without_marks(table[name], given.missing, kept)
        if kept or not _is_text(column.dtype):
            table[name] = column
            continue
        values = _simple(column, given.decimal, found)
        if values is None:
            waiting[name] = TextColumn.of(column)
            found.shown.update(shown_mark(waiting[name]))
            values = column
        table[name] = values
        del column, values  # their text goes back to the system before the next is made
        pa.default_memory_pool().release_unused()
    told = _take_waiting(table, waiting, given.decimal, points, found)
    return table, (*told, *_notes(found)), found.units


def without_commas(table: pd.DataFrame, but: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns of text that hold numbers with decimal commas, or marked thousands, as numbers.

    Other text, such as 007, is left letter by letter; so are the columns ``but``.
    """
    changed = []
    for name in table.columns:
        values = table[name]
        if name in but or not _is_text(values.dtype):
            continue
        commas = values.str.contains(",", regex=False)
        if not commas.fillna(False).any():
            continue
        numbers = take_numbers(TextColumn.of(values))
        if numbers.values is not None and not numbers.unit:
            table = table.assign(**{name: numbers.values.reindex(table.index).to_numpy()})
            changed.append(str(name))
    if not changed:
        return table, ()
    return table, (f"Numbers with commas in {name_list(changed)} are written with points.",)


def _take_waiting(
    table: pd.DataFrame, waiting: dict[str, TextColumn], decimal: str, points: bool, found: _Found
) -> tuple[str, ...]:
    """Columns whose marks had to wait for what the others show."""
    shown = next(iter(found.shown)) if len(found.shown) == 1 else ""
    guessed = []
    for name, column in waiting.items():
        numbers = take_numbers(column, decimal=decimal, table=shown)
        if numbers.values is None and points and not found.shown and _all_pointed(column):
            numbers = take_numbers(column, table=".")
            guessed += [] if numbers.values is None else [name]
        if numbers.values is not None:
            table[name] = numbers.values.to_numpy()
            found.add(str(name), numbers)
    return () if not guessed else (
        f"A point was read as the decimal mark in {name_list(guessed)}; where it marks thousands, "
        "say --decimal ,.",
    )  # fmt: skip


def _all_pointed(column: TextColumn) -> bool:
    """Whether marks are points only, and not in some cells only as thousands are marked."""
    point, comma = (np.abs(column.cells.values[mark]) for mark in MARKS)
    whole = column.cells.whole
    return not (point > comma).any() and (not whole.any() or not (point[whole] < 1000).all())


def _without_marks(values: pd.Series, marks: Sequence[str], as_text: bool) -> pd.Series:
    """Blank cells and the user's marks as gaps; -999 is also -999.0 where values are numbers."""
    text = _is_text(values.dtype)
    if text:
        stripped = values.str.strip()
        gaps = stripped.isin(["", *(mark.strip() for mark in marks)]).fillna(False)
        values = values.mask(gaps.astype(bool))
    if (as_text and text) or not (text or types.is_numeric_dtype(values.dtype)):
        return values
    numbers = [n for n in (pd.to_numeric(m, errors="coerce") for m in marks) if n == n]
    if not numbers or types.is_bool_dtype(values.dtype):
        return values
    return values.mask(pd.to_numeric(values, errors="coerce").isin(numbers))


def _is_text(dtype: object) -> bool:
    return isinstance(dtype, pd.StringDtype)


def is_plain(values: pd.Series) -> bool:
    """Whether texts are numbers that programs write: a point before decimals, nothing beside."""
    found = plain_numbers(values.astype("str"))
    return found is not None and (found.whole or found.points)


def are_truths(values: pd.Series) -> bool:
    """Whether texts are true and false, besides words for gaps."""
    text = values.dropna().astype("str").str.strip()
    text = text[~text.isin(GAP_MARKS)]
    return not text.empty and all_match(_strings(text), _TRUTH_WORDS)


def _strings(values: pd.Series) -> pa.Array:
    text = pa.Array.from_pandas(values.astype("str"), type=pa.large_string())
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _simple(column: pd.Series, decimal: str, found: _Found) -> pd.Series | None:
    """A column that needs no second thought: plain numbers that show their mark, true and false."""
    plain = plain_numbers(column)
    if plain is not None and (plain.whole or (plain.points and decimal != ",")):  # "," is told
        found.shown |= set() if plain.whole else {"."}
        return pd.Series(plain.values, index=column.index)
    known = column.mask(column.isin(GAP_MARKS))
    return known.str.lower().map(_TRUTH) if all_match(_strings(known), _TRUTH_WORDS) else None


_WORDS = {
    "mark": "Thousands marks were read as such",
    "sign": "Signs after the number and brackets were read as minus",
    "unit": "Units were left off",
    "against": "In spite of --decimal, the mark that the column shows stands before decimals",
}


def _notes(found: _Found) -> tuple[str, ...]:
    comma = ("Numbers are written with a decimal comma and were read as such.",)
    return (
        *(comma if "," in found.shown else ()),
        *(
            f"{_WORDS[kind]} in {name_list([name for name, _ in said])}: {said[0][1]}."
            for kind, said in found.said.items()
        ),
    )
