"""How a text table is written: its compression, encoding, separator, header."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TextIO, cast

from polytask.data import repeated_names
from polytask.tables.errors import TableError

__all__ = ["Dialect", "open_binary", "open_text", "sniff"]

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # what Excel writes and obeys
HEAD_BYTES = 1 << 18
HEAD_LINES = 50
OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}


@dataclass(frozen=True)
class Dialect:
    """What has to be known before a text table can be read."""

    separator: str
    encoding: str
    header: tuple[str, ...]
    notes: tuple[str, ...] = ()
    skip: int = 0  # lines before the header


@contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed when its name says so."""
    opener = OPENERS.get(path.suffix.lower(), open)
    try:
        with cast("IO[bytes]", opener(path, "rb")) as handle:
            yield handle
    except (gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError) as error:
        raise TableError(
            f"TABLE must be a readable file; {str(path)!r} is named {path.suffix} but cannot be "
            f"decompressed ({error}). Write it again, or rename it if it is not compressed."
        ) from error


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """The text of a file; line ends are left to the CSV reader."""
    with open_binary(path) as handle:
        yield io.TextIOWrapper(handle, encoding=encoding, newline="")


def sniff(path: Path) -> Dialect:
    """Encoding, separator and header, from the first lines of a text table."""
    with open_binary(path) as handle:
        head = handle.read(HEAD_BYTES)
    if not head.strip():
        raise TableError(f"TABLE must have a header and rows; {str(path)!r} is empty.")
    encoding, notes = _encoding(head, path)
    lines = head.decode(encoding, errors="replace").splitlines(keepends=True)
    if len(head) == HEAD_BYTES and len(lines) > 1:
        lines = lines[:-1]  # the last one may have been cut
    told = SEPARATOR_LINE.fullmatch(lines[0].strip())
    if told:
        lines = lines[1:]
        notes = (*notes, f"The first line says that {told[1]!r} separates fields.")
    separator = "\t" if ".tsv" in path.suffixes else _separator(lines)
    separator = told[1] if told else separator
    header = _header(lines, separator, path)
    return Dialect(separator, encoding, header, notes, skip=int(told is not None))


def _encoding(head: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", ("The file is UTF-16 and was read as such.",)
    if b"\x00" in head:
        raise TableError(
            f"TABLE must be text in UTF-8, or Parquet; {str(path)!r} contains zero bytes. "
            "Save it as CSV (UTF-8) or as .parquet."
        )
    if _is_utf8(path):
        return "utf-8-sig", ()
    note = "The file is not UTF-8; it was read as Windows-1252 (Western European)."
    return "cp1252", (note,)


def _is_utf8(path: Path) -> bool:
    """Whether the whole file is UTF-8: one foreign letter may stand on the last line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_binary(path) as handle:
            while block := handle.read(1 << 20):
                if decoder.getstate()[0] or not block.isascii():  # which is seen much sooner
                    decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(lines: list[str]) -> str:
    """The candidate that cuts the first lines into the same number of fields, and most fields."""
    scores = {candidate: _regularity(lines[:HEAD_LINES], candidate) for candidate in SEPARATORS}
    best = max(scores, key=lambda candidate: scores[candidate])
    return best if scores[best][1] > 1 else ","


def _regularity(lines: list[str], separator: str) -> tuple[float, int]:
    widths = [len(row) for row in _rows(lines, separator) if row]
    width = widths[0] if widths else 0
    regular = sum(w == width for w in widths) / max(len(widths), 1)
    return (regular if width > 1 else 0.0, width)


def _rows(lines: list[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error:  # a field of more than 128 kB: no table has that in its first lines
        return []


def _header(lines: list[str], separator: str, path: Path) -> tuple[str, ...]:
    rows = [row for row in _rows(lines[:HEAD_LINES], separator) if row]
    if not rows:
        raise TableError(f"TABLE must have a header and rows; {str(path)!r} has no readable line.")
    names = rows[0]
    if told := repeated_names((n for n in names if n), f" in {str(path)!r}"):
        raise TableError(f"TABLE {told}")
    return tuple(names)
