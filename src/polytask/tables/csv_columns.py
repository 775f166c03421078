"""Columns of a text file, made as its lines are read: plain numbers take no detour over text.

Text of a hundred megabytes is several hundred as a table. What is a number beyond doubt in every
part of the file is one from the start; the rest is text, about which the whole column decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polytask.tables.number_cells import GAP_MARKS

__all__ = ["CsvColumn", "Growing", "all_match", "collect", "plain_numbers"]

_WHOLE = r"^[-+]?(0|[1-9][0-9]{0,17})$"
_PLAIN = r"^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_UNCLEAR = r"^[-+]?[1-9][0-9]{0,2}\.[0-9]{3}$"  # decimals, or marked thousands
_GAPS = pa.array(sorted(GAP_MARKS | {""}), pa.large_string())
_SOME = 20  # cells that tell of most columns what they are not
_NOTHING = pa.scalar(None, pa.large_string())


class Plain(NamedTuple):
    """Numbers as programs write them.

    Attributes
    ----------
    values : ndarray
        Integers, or floats with NaN for gaps.
    whole : bool
        Whether no mark stands in them.
    points : bool
        Whether points stand before decimals beyond doubt.
    """

    values: np.ndarray
    whole: bool
    points: bool


def plain_numbers(values: pd.Series) -> Plain | None:
    """A column of text as numbers; None where a cell is neither a plain number nor a gap."""
    text = pa.Array.from_pandas(values, type=pa.large_string())
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    text = pc.if_else(pc.is_in(text, _GAPS), _NOTHING, text)
    if text.null_count == len(text):
        return Plain(np.full(len(text), np.nan), True, False)
    if _all_match(text, _WHOLE):
        kind = pa.int64() if text.null_count == 0 else pa.float64()
        whole = text.cast(pa.int64()).cast(kind, safe=False)
        return Plain(whole.to_numpy(zero_copy_only=False), True, False)
    if _all_match(text, _PLAIN):
        numbers = text.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Plain(numbers, False, _points(text[:_SOME]) or _points(text))
    return None


def all_match(text: pa.Array, pattern: str) -> bool:
    """Whether every text that is there matches."""
    return bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())


def _all_match(text: pa.Array, pattern: str) -> bool:
    """The same, where the first few tell that it is not so before all are looked at."""
    return all_match(text[:_SOME], pattern) and all_match(text, pattern)


def _points(text: pa.Array) -> bool:
    """Whether a point stands before decimals beyond doubt."""
    pointed = text.filter(pc.match_substring(text, "."))
    return not all_match(pointed, _UNCLEAR)


class Growing:
    """Numbers that come in parts, in one stretch of memory: many parts would leave holes in it.

    There is room for as many as are expected from the start.
    """

    def __init__(self, expected: int = 0) -> None:
        self.values, self.n, self.expected = np.empty(0, dtype=np.int64), 0, expected

    def add(self, part: np.ndarray) -> None:
        """The next part; whole numbers are floats once a part of floats has come."""
        n, kind = self.n + len(part), np.result_type(self.values, part)
        if n > len(self.values) or kind != self.values.dtype:
            size = max(self.expected, len(self.values), 3 * n // 2)
            room = np.empty(size, dtype=kind)  # what is not touched is not held
            room[: self.n] = self.values[: self.n]
            self.values = room
        self.values[self.n : n] = part
        self.n = n

    def finish(self) -> np.ndarray:
        """All of them."""
        self.values.resize(self.n, refcheck=False)
        return self.values


@dataclass(eq=False)
class CsvColumn:
    """A column as its parts come in.

    Attributes
    ----------
    text : bool
        Whether it is kept letter by letter.
    whole, points : bool
        As of `Plain`, in all parts and in any.
    again : bool
        Whether it has turned out to be text after parts of it were taken for numbers.
    """

    text: bool
    whole: bool = True
    points: bool = False
    again: bool = False
    parts: list[pd.Series] = field(default_factory=list)
    numbers: Growing = field(default_factory=lambda: Growing())

    def add(self, values: pd.Series) -> None:
        """The next part."""
        if self.again:
            return
        found = None if self.text else plain_numbers(values)
        if found is not None:
            self.numbers.add(found.values)
            self.whole, self.points = self.whole and found.whole, self.points or found.points
        elif self.numbers.n and not self.text:
            self.numbers, self.again = Growing(), True
        else:
            self.text = True
            self.parts.append(values)

    def finish(self) -> pd.Series | None:
        """All of it; None where it must be read again, as text."""
        parts, self.parts = self.parts, []
        if self.text:
            return pd.Series(pd.concat(parts, ignore_index=True))
        self.again |= not (self.whole or self.points)
        numbers, self.numbers = self.numbers, Growing()
        return None if self.again else pd.Series(numbers.finish(), copy=False)


def collect(
    read: Callable[[Sequence[str] | None], Iterable[pd.DataFrame]],
    as_text: Callable[[str], bool],
) -> tuple[pd.DataFrame, bool]:
    """The table of a file, and whether points stand before decimals in a column of it.

    ``read`` gives the parts of some columns (None: of all), as text; it is asked once more where
    columns turn out to be text late.
    """
    columns: dict[str, CsvColumn] = {}
    for part in read(None):
        for name in map(str, part):
            column = columns.setdefault(name, CsvColumn(as_text(name)))
            column.add(part[name])
    made = {name: column.finish() for name, column in columns.items()}
    pa.default_memory_pool().release_unused()
    late = [name for name, column in columns.items() if column.again]
    if late:
        texts = {name: CsvColumn(True) for name in late}
        for part in read(late):
            for name, column in texts.items():
                column.add(part[name])
        made |= {name: column.finish() for name, column in texts.items()}
    points = any(c.points and not c.again for c in columns.values())
    return pd.DataFrame(made, copy=False), points
