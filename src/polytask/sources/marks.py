"""Values of a batch as a table in memory has them: gaps by blanks and marks, decimals as floats."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from polytask.sources.column_sums import as_text

__all__ = ["AS_STORED", "Marks", "settled"]


class Reader(Protocol):
    """How text of a column becomes numbers."""

    @property
    def name(self) -> str:
        """Of the column."""
        ...

    @property
    def unit(self) -> str:
        """Currency or unit beside every number, "" for none."""
        ...

    def __call__(self, text: pa.Array) -> pa.Array:
        """Numbers, null where the text is."""
        ...


@dataclass(frozen=True)
class Marks:
    """How values are written in the columns of a file.

    Attributes
    ----------
    missing : tuple of str
        Marks that mean a gap in every column.
    in_target : tuple of str
        Further ones in the target.
    numbers : tuple of str
        Columns of text that hold numbers.
    in_numbers : tuple of str
        Further marks for gaps in those.
    written : tuple of Reader
        How columns are read in which people wrote numbers, as in 1'045.15 or 12 €.
    plain_ids : bool
        Whether truth values, dates and decimals are ids by the text that Python writes for them,
        and 1.0 is the id 1 in text as well.
    """

    missing: tuple[str, ...] = ()
    in_target: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    truths: tuple[str, ...] = ()
    in_numbers: tuple[str, ...] = ()
    written: tuple[Reader, ...] = ()
    plain_ids: bool = False

    def unit_of(self, name: str) -> str:
        """Currency or unit beside the numbers of a column, "" for none."""
        return next((reader.unit for reader in self.written if reader.name == name), "")


AS_STORED = Marks()
_FLOAT = r"^(-?(?:0|[1-9][0-9]*))\.0+$"  # 1.0 is the id 1


def settled(table: pa.RecordBatch, marks: Marks, ids: Sequence[str], target: str) -> pa.RecordBatch:
    """The same rows; blank cells and marks are null, decimals that are no ids are floats."""
    columns, written = [], {reader.name: reader for reader in marks.written}
    for name in table.schema.names:
        column = table.column(name)
        more = marks.in_target if name == target else ()
        if pa.types.is_string_view(column.type):  # which few of Arrow's functions know
            column = column.cast(pa.string())
        if name in ids:
            column = _plain_ids(column) if marks.plain_ids else column
        elif name in written:
            column = written[name](_text(column, (*marks.missing, *marks.in_numbers)))
        elif name in (*marks.numbers, *marks.truths):
            kind = pa.bool_() if name in marks.truths else pa.float64()
            column = _read(column, (*marks.missing, *marks.in_numbers), name, kind)
        elif pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        columns.append(_without(column, (*marks.missing, *more)))
    return pa.RecordBatch.from_arrays(columns, table.schema.names)


def _plain_ids(column: pa.Array) -> pa.Array:
    types = pa.types
    if types.is_boolean(column.type):
        return as_text(column)
    if types.is_temporal(column.type) or types.is_decimal(column.type):
        coded = column.dictionary_encode()
        words = [_label(value) for value in coded.dictionary.to_pylist()]
        return pc.take(pa.array(words, pa.string()), coded.indices)
    if types.is_dictionary(column.type) and is_text(column.type.value_type):
        return pc.take(_plain_ids(column.dictionary), column.indices)
    return pc.replace_substring_regex(column, _FLOAT, r"\1") if is_text(column.type) else column


def _label(value: Any) -> str:
    whole = isinstance(value, decimal.Decimal) and value == value // 1
    return str(int(value)) if whole else str(value).removesuffix(" 00:00:00")


def _without(column: pa.Array, marks: tuple[str, ...]) -> pa.Array:
    if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
        known = _without(column.dictionary, marks)
        return column if known.null_count == 0 else pc.take(known, column.indices)
    if is_text(column.type):
        text = pc.utf8_trim_whitespace(column)
        gap = pc.is_in(text, pa.array(["", *(mark.strip() for mark in marks)], text.type))
    elif marks and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        numbers = pa.array([n for n in map(_as_number, marks) if n is not None], pa.float64())
        gap = pc.is_in(column.cast(pa.float64()), numbers)
    else:
        return column
    if not pc.any(gap).as_py():
        return column
    return pc.if_else(gap, pa.scalar(None, column.type), column)


def _read(column: pa.Array, gaps: tuple[str, ...], name: str, kind: pa.DataType) -> pa.Array:
    """Text as what the first rows held: numbers, or true and false."""
    text = _text(column, gaps)
    try:
        return pc.utf8_trim_whitespace(text).cast(kind)
    except pa.ArrowInvalid as error:
        what = "true and false" if pa.types.is_boolean(kind) else "numbers"
        raise ValueError(
            f"column {name!r} must hold {what} in every row; {error}. Correct the values, name "
            "marks that mean a gap in --missing, or name the column in --categorical."
        ) from error


def _text(column: pa.Array, gaps: tuple[str, ...]) -> pa.Array:
    """Text with null for gaps."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return _without(column, gaps)


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _as_number(mark: str) -> float | None:
    try:
        return float(mark)
    except ValueError:
        return None
