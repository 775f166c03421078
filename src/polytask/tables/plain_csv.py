"""Large text tables as programs write them: arrow makes numbers of them as it reads.

The first part of the file is read as text and tells what each column is. Where the rest is not
so, or where arrow would take for numbers what `polytask.tables.csv_columns` does not (007, inf,
``1 ``), the answer is None, and the file is read with care.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polytask.tables.csv_columns import CsvColumn, Growing
from polytask.tables.csv_dialect import OPENERS, Dialect
from polytask.tables.number_cells import GAP_MARKS

__all__ = ["collect_plain"]

_LARGE = 1 << 22  # bytes from which on a second look at a file pays
_FIRST = 1 << 22  # bytes that tell what each column is
_BLOCK = 1 << 19  # bytes that are read at a time after that: they stay near the processor
_LOOK = 1 << 16  # and that are looked at, with room for what is made of them
_TELLING = (b'"', b"\0", b" ", b"\t", b"\r", b"i", b"I")  # of quotes, blanks, ends of lines, inf
_LONGEST = 4  # bytes of what is looked for that may stand in the block before
_BOM = b"\xef\xbb\xbf"


def collect_plain(
    path: Path, dialect: Dialect, as_text: Callable[[str], bool]
) -> tuple[pd.DataFrame, bool] | None:
    """As `polytask.tables.csv_columns.collect`; None where the file is to be read with care."""
    if not _is_plain(path, dialect):
        return None
    first = {name: CsvColumn(as_text(name)) for name in dialect.header}
    try:
        rows = _look_ahead(path, dialect, first)
        if any(not (c.text or c.whole or c.points) for c in first.values()):
            return None  # what points mean there, all of the file has to tell
        types = {name: _type(column) for name, column in first.items()}
        texts: dict[str, list[pd.Series]] = {name: [] for name in first if first[name].text}
        numbers = {name: Growing(rows) for name in first if name not in texts}
        with _parts(path, dialect, types, _BLOCK) as parts:
            for part in parts:
                for name, cells in texts.items():
                    cells.append(part.column(name).to_pandas())
                for name, grown in numbers.items():
                    grown.add(part.column(name).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return None
    pa.default_memory_pool().release_unused()
    made = {
        name: pd.concat(texts.pop(name), ignore_index=True) if name in texts
        else pd.Series(numbers.pop(name).finish(), copy=False)
        for name in first
    }  # fmt: skip
    return pd.DataFrame(made, copy=False), any(column.points for column in first.values())


def _look_ahead(path: Path, dialect: Dialect, columns: Mapping[str, CsvColumn]) -> int:
    """About how many rows the file has; its first lines go to the columns."""
    with path.open("rb") as handle:
        lines = handle.read(_FIRST)
    head, rows = pa.py_buffer(lines).slice(0, lines.rfind(b"\n") + 1), 0
    with _parts(head, dialect, dict.fromkeys(columns, pa.string()), _FIRST) as parts:
        for part in parts:  # one
            rows = int(1.02 * len(part) * path.stat().st_size / head.size)
            for name, column in columns.items():
                column.add(part.column(name).to_pandas())
    return rows


def _type(column: CsvColumn) -> pa.DataType:
    if column.text:
        return pa.string()
    return pa.int64() if column.whole else pa.float64()


def _is_plain(path: Path, dialect: Dialect) -> bool:
    """Whether nothing is quoted, trimmed, or a number to arrow alone."""
    header = dialect.header
    if path.suffix.lower() in OPENERS or not dialect.encoding.startswith("utf-8"):
        return False
    if len(dialect.separator.encode()) > 1:  # which arrow does not take
        return False
    if path.stat().st_size < _LARGE or "" in header or len(set(header)) < max(2, len(header)):
        return False
    separator, odd = ord(dialect.separator), _odd(dialect.separator)
    with path.open("rb") as handle:
        if handle.read(len(_BOM)) == _BOM:
            return False
        handle.seek(0)
        for _ in range(dialect.skip + 1):
            line = handle.readline()
        last = line[-1:]  # the names may be quoted
        if line.count(b'"') % 2:
            return False
        while block := handle.read(_LOOK):
            block = last + block
            if _may_match(block, separator) and _has(block, odd):
                return False
            last = block[-_LONGEST:]
    return not last.endswith((b" ", b"\t"))


def _odd(separator: str) -> str:
    """A pattern of what is looked for."""
    ends = rf"[\n{re.escape(separator)}]"
    return rf'["\x00]|{ends} |[ \t]({ends}|\r)|{ends}[-+]?(0[0-9]|(?i:inf))|\r[^\n]'


def _has(block: bytes, pattern: str) -> bool:
    return bool(pc.match_substring_regex(pa.array([block], pa.large_binary()), pattern)[0].as_py())


def _may_match(block: bytes, separator: int) -> bool:
    """Whether a block may hold what is looked for, told by bytes, in a quarter of the time."""
    if any(byte in block for byte in _TELLING):
        return True
    at = np.frombuffer(block, dtype=np.uint8)
    before, zero, after = at[:-2], at[1:-1], at[2:]
    begins = (before == separator) | (before == ord("\n"))
    begins |= (before == ord("-")) | (before == ord("+"))
    begins &= (zero == ord("0")) & (after - np.uint8(ord("0")) < 10)
    return bool(begins.any())


@contextmanager
def _parts(
    source: Path | pa.Buffer, dialect: Dialect, types: Mapping[str, pa.DataType], block: int
) -> Iterator[Any]:
    """Parts of the file, gaps in numbers null."""
    from pyarrow import csv

    with csv.open_csv(
        source if isinstance(source, Path) else pa.BufferReader(source),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=block, skip_rows=dialect.skip + 1,
            column_names=list(dialect.header),
        ),
        parse_options=csv.ParseOptions(delimiter=dialect.separator, quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=sorted(GAP_MARKS | {""}), strings_can_be_null=False
        ),
    ) as parts:  # fmt: skip
        yield parts
