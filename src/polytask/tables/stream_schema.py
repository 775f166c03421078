"""The columns of a table that is to be streamed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from polytask.data import repeated_names
from polytask.tables.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["stream_schema", "table_columns", "unknown_type"]


def table_columns(schema: pa.Schema) -> list[str]:
    """Its columns, without the unnamed index that pandas stores."""
    return [n for n in schema.names if not n.startswith("__index_level_")]


def unknown_type(path: Path, error: Exception) -> str:
    """What a user reads of a file with columns of a type that Arrow does not know."""
    why = " ".join(str(error).split()).rstrip(".")
    return (
        f"TABLE must have columns of types that Apache Arrow reads; {str(path)!r} has others "
        f"({why}). Write such a column as text or as a whole number of 64 bits."
    )


def stream_schema(path: str | os.PathLike[str]) -> pa.Schema:
    """Of a Parquet file, or of the first in a directory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = Path(path)
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    if not files or not files[0].exists():
        raise TableError(
            f"TABLE must be a Parquet file, or a directory of them, to be streamed; there is none "
            f"at {str(path)!r}."
        )
    try:
        schema = pq.read_schema(files[0])
    except pa.ArrowInvalid as error:
        raise TableError(
            f"TABLE must be Parquet to be streamed; {str(files[0])!r} is not. Convert it, or load "
            "it with --no-stream."
        ) from error
    except pa.ArrowNotImplementedError as error:
        raise TableError(unknown_type(files[0], error)) from error
    if told := repeated_names(schema.names, f" in {str(path)!r}"):
        raise TableError(f"TABLE {told}")
    return schema
