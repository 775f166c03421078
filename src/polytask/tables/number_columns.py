"""Whether a column of text holds numbers, and what its marks mean.

One cell ``7.700`` is 7.7 or 7700. A column tells by its other cells (``1.5`` and ``0.123`` are
decimals, ``1.045,15`` is not), a file by its other columns; what neither tells is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polytask.tables.errors import plural
from polytask.tables.number_cells import GAP_MARKS, Cells, is_known, normal_text, read_cells

__all__ = ["Numbers", "TextColumn", "beside_numbers", "shown_mark", "take_numbers"]

MOST_SHOWN = 4
_SIGNED = re.compile(  # one number among signs, or with Fortran's exponent
    r"[^\w]{0,3}[0-9][0-9_.,']*[^\w]{0,3}|[^\w]?[0-9]*\.[0-9]+[dD][-+]?[0-9]+"
)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of text by its distinct cells; gaps and marks for gaps are in none of them.

    Attributes
    ----------
    codes : (n,) int
        Distinct cell of each row, -1 for a gap.
    counts, first : (k,) int
        How often each occurs, and the position of its first row.
    rows : Index
        Labels of the rows.
    cells : Cells
    name : hashable
        Of the column.
    """

    codes: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    rows: pd.Index
    cells: Cells
    name: Any = None

    @classmethod
    def of(cls, values: pd.Series) -> TextColumn:
        """Take a column apart."""
        coded = _strings(values).dictionary_encode()
        codes = np.asarray(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False), int)
        texts = coded.dictionary
        plain = normal_text(texts)
        gap = pc.is_in(plain, pa.array(sorted(GAP_MARKS | {""}), plain.type)).to_numpy(
            zero_copy_only=False
        )
        place = np.append(np.where(gap, -1, np.cumsum(~gap) - 1), -1)
        codes = place[codes]
        k = int((~gap).sum())
        first = np.zeros(k, dtype=int)
        known = np.flatnonzero(codes >= 0)[::-1]
        first[codes[known]] = known
        counts = np.bincount(codes[known], minlength=k)
        return cls(
            codes,
            counts,
            first,
            values.index,
            read_cells(texts.filter(pa.array(~gap))),
            values.name,
        )

    def share(self, which: np.ndarray) -> float:
        """Share of the filled rows that hold one of these cells."""
        return float(self.counts[which].sum() / max(self.counts.sum(), 1))

    def show(self, cell: int) -> str:
        """A cell with its place."""
        row = self.rows[int(self.first[cell])] + 1
        times = f" ({self.counts[cell]:,} times)" if self.counts[cell] > 1 else ""
        return f"{self.cells.text[cell]!r} in row {row}{times}"

    def list(self, which: np.ndarray) -> str:
        """Some cells with their places, the most frequent first."""
        order = sorted(np.flatnonzero(which), key=lambda cell: (-self.counts[cell], cell))
        shown = ", ".join(self.show(int(cell)) for cell in order[:MOST_SHOWN])
        more = len(order) - MOST_SHOWN
        return f"{shown} and {more} others" if more > 0 else shown


@dataclass(frozen=True, eq=False)
class Numbers:
    """What was made of a column: values, a problem, or neither where it holds text.

    Attributes
    ----------
    values : Series or None
    problem, remedy : str
        Why it cannot be read, and what to do.
    unit : str
        What stands beside every number.
    said : tuple of (str, str)
        What was assumed ("mark", "sign", "unit", "against"), each with an example.
    """

    values: pd.Series | None = None
    problem: str = ""
    remedy: str = ""
    unit: str = ""
    said: tuple[tuple[str, str], ...] = ()


def shown_mark(column: TextColumn) -> str:
    """Which mark the column shows to stand before decimals: ".", ",", "" or ".,"."""
    like = _quantities(column)
    if not column.share(like) >= 0.5:
        return ""
    return "".join(mark for mark in ".," if _only(column.cells, like, mark).any())


def take_numbers(column: TextColumn, *, decimal: str = "", table: str = "") -> Numbers:
    """Read the column.

    Parameters
    ----------
    column : TextColumn
    decimal : {"", ".", ","}
        The decimal mark that the user named; a column that shows another is read by that.
    table : {"", ".", ","}
        The one that other columns show, for a column that shows none.
    """
    cells, like = column.cells, _quantities(column)
    slashed = like | cells.fraction
    if cells.fraction.any() and slashed.all():
        what = f"holds fractions or pairs of numbers: {column.list(cells.fraction)}"
        return Numbers(None, what, "compute the number, or make two columns of it")
    if cells.code[like].any() or column.share(like) < 0.5 or _labelled(cells, like):
        return Numbers()
    problem = _odd_cells(column, like) or _two_units(column, like) or _two_marks(column, like)
    if problem:
        return Numbers(None, *problem)
    shown = shown_mark(column)
    mark = shown or decimal or table
    unclear = like & (cells.values["."] != cells.values[","]) & _both(cells)
    if not mark and unclear.any():
        return Numbers(None, *_undecided(column, unclear))
    values = cells.values[mark or "."]
    said = _said(column, values)
    if shown and decimal not in ("", shown):
        cell = int(np.flatnonzero(_only(cells, like, shown))[0])
        said = (*said, ("against", f"{cells.text[cell]!r} is {values[cell]:.10g}"))
    return Numbers(_rows(column, values), "", "", str(cells.unit[0]), said)


def beside_numbers(column: TextColumn) -> str:
    """What stands beside numbers that could not be read, "" where most cells are no numbers.

    Signs alone (``~12``, ``85*``), or words that differ (``5 ct`` and ``5 €``): of a column with
    many values that is no id.
    """
    cells = column.cells
    signs = np.array([_SIGNED.fullmatch(text.strip()) is not None for text in cells.text], bool)
    found = _quantities(column) | signs
    if column.share(found) < 0.9 or column.share(cells.code) > 0.1:
        return ""
    return f"holds numbers with something beside them: {column.list(found)}"


def _strings(values: pd.Series) -> pa.Array:
    if not pd.api.types.is_string_dtype(values.dtype) or values.dtype == object:
        values = values.astype(object).map(str, na_action="ignore")
    made = pa.Array.from_pandas(values, type=pa.string())
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _quantities(column: TextColumn) -> np.ndarray:
    """Cells that are numbers; letters glued to digits, as in 7p, make a code of them."""
    return column.cells.like & ~column.cells.glued


def _labelled(cells: Cells, like: np.ndarray) -> bool:
    """Whether words that are no unit stand beside the numbers, and not the same in every cell."""
    units = set(cells.unit[like])
    return (len(units) > 1 or not like.all()) and not all(is_known(unit) for unit in units)


def _both(cells: Cells) -> np.ndarray:
    return ~np.isnan(cells.values["."]) & ~np.isnan(cells.values[","])


def _only(cells: Cells, like: np.ndarray, mark: str) -> np.ndarray:
    """Cells that are numbers with this decimal mark and with no other."""
    return like & ~np.isnan(cells.values[mark]) & ~_both(cells)


def _odd_cells(column: TextColumn, like: np.ndarray) -> tuple[str, str] | None:
    if like.all():
        return None
    count, n = int(column.counts[~like].sum()), int(column.counts.sum())
    share = f"{count:,} of its {plural(n, 'cell')}"
    what = f"holds text among its numbers, in {share}: {column.list(~like)}"
    return what, (
        "correct them, name marks that mean a gap in --missing, or name the column in --categorical"
    )


def _two_units(column: TextColumn, like: np.ndarray) -> tuple[str, str] | None:
    units = column.cells.unit
    found = sorted(set(units[like]), key=lambda u: (-column.counts[like & (units == u)].sum(), u))
    if len(found) < 2:
        return None
    most, *rest = (f"{u!r}" if u else "no unit" for u in found)
    rare = like & (units != found[0])
    what = f"holds numbers with {most} and with {', '.join(rest[:3])}: {column.list(rare)}"
    return what, "write all of them in one unit"


def _two_marks(column: TextColumn, like: np.ndarray) -> tuple[str, str] | None:
    marks = [_only(column.cells, like, mark) for mark in ".,"]
    if not (marks[0].any() and marks[1].any()):
        return None
    point, comma = (column.show(int(np.flatnonzero(m)[0])) for m in marks)
    what = f"writes decimals with a point, {point}, and with a comma, {comma}"
    return what, "write all of them with a point"


def _undecided(column: TextColumn, unclear: np.ndarray) -> tuple[str, str]:
    cell = int(np.flatnonzero(unclear)[0])
    values = [f"{column.cells.values[mark][cell]:.10g}" for mark in ".,"]
    what = f"may be written with thousands marks: {column.show(cell)} is {values[0]} or {values[1]}"
    return what, "say which mark stands before decimals, --decimal . or --decimal ,"


def _rows(column: TextColumn, values: np.ndarray) -> pd.Series:
    """The value of every row; whole numbers without a gap stay whole, in full."""
    if (column.codes >= 0).all() and not column.cells.unit[0]:
        whole = _whole(column.cells.text)
        if whole is not None:
            return pd.Series(whole[column.codes], column.rows, name=column.name)
    return pd.Series(np.append(values, np.nan)[column.codes], column.rows, name=column.name)


def _whole(texts: Sequence[str]) -> np.ndarray | None:
    try:
        return np.array(texts, dtype=object).astype(np.int64)
    except (ValueError, OverflowError):
        return None


def _said(column: TextColumn, values: np.ndarray) -> tuple[tuple[str, str], ...]:
    cells = column.cells
    unclear = _both(cells) & (cells.values["."] != cells.values[","])
    kinds = {
        "mark": cells.grouped | (unclear & (np.abs(values) >= 1000)),
        "sign": cells.turned,
        "unit": cells.unit != "",
    }
    return tuple(
        (kind, f"{cells.text[at[0]]!r} is {values[at[0]]:.10g}")
        for kind, which in kinds.items()
        if len(at := np.flatnonzero(which))
    )
