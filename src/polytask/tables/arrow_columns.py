"""Arrow tables as pandas tables, with columns that every later step knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from polytask.data import repeated_names
from polytask.tables.errors import TableError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["as_frame", "plain_columns", "read_arrow"]


def read_arrow(path: Path) -> pa.Table:
    """A file of Arrow (Feather) or a stored stream."""
    import pyarrow as pa

    with path.open("rb") as handle:
        is_file = handle.read(6) == b"ARROW1"
    try:
        opened = pa.ipc.open_file(path) if is_file else pa.ipc.open_stream(path)
        return opened.read_all()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TableError(
            f"TABLE must be a file of Arrow; {str(path)!r} cannot be read as one. Write it again."
        ) from error


def as_frame(table: pa.Table, name: str) -> pd.DataFrame:
    """The table called ``name``; an index of pandas that was stored becomes a column again."""
    if told := repeated_names(table.column_names, f" in {name!r}"):
        raise TableError(f"TABLE {told}")
    frame = _to_pandas(table, name)
    named = any(level is not None for level in frame.index.names)
    frame = frame.reset_index(drop=not named).rename(columns=str)
    return frame.astype({name: "str" for name in frame if _holds_text(table, str(name))})


def _to_pandas(table: pa.Table, name: str) -> pd.DataFrame:
    """With the index that pandas stored, which may be the task, unless its notes are false."""
    try:
        return table.to_pandas()
    except Exception:  # noqa: BLE001  notes of strangers may say anything
        pass
    try:
        return table.replace_schema_metadata(None).to_pandas()
    except (ValueError, TypeError, NotImplementedError, OverflowError) as error:
        raise TableError(
            f"TABLE must hold values that can be read; those of {name!r} cannot ({error}). Write "
            "it again."
        ) from error


def _holds_text(table: pa.Table, name: str) -> bool:
    """Whether a column is stored as text."""
    import pyarrow.types as types

    if name not in table.column_names:
        return False
    kind = table.schema.field(name).type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def plain_columns(table: pa.Table, as_text: Callable[[str], bool]) -> pa.Table:
    """What databases have beside numbers and text: exact decimals, ids, documents, padded text.

    Decimals become floats, but text where ``as_text`` says that they are ids; ids and documents
    become text, and text of fixed width loses the blanks that fill it.
    """
    for position, field in enumerate(table.schema):
        column = _plain(table.column(position), field, as_text(field.name))
        table = table.set_column(position, field.name, column)
    return table


def _plain(column: pa.ChunkedArray, field: pa.Field, ids: bool) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = field.type
    if isinstance(kind, pa.UuidType):
        return pa.chunked_array([[None if v is None else str(v) for v in column.to_pylist()]],
                                pa.string())  # fmt: skip
    number = isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric"
    if isinstance(kind, pa.BaseExtensionType):
        column = pa.chunked_array([c.storage for c in column.chunks], kind.storage_type)
    if (number or types.is_decimal(kind)) and not ids:
        return pc.cast(column, pa.float64())
    if ids and (types.is_decimal(kind) or types.is_integer(kind)):
        return pc.cast(column, pa.string())
    if (field.metadata or {}).get(b"POSTGRESQL:type") == b"bpchar":
        return pc.utf8_rtrim(column, " ")
    return column
