"""A query to DuckDB, SQLite or PostgreSQL as a table, through ADBC; nothing is ever written."""

from __future__ import annotations

import importlib
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from polytask.tables.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_query", "read_query", "without_password"]

SOURCE = re.compile(r"(duckdb|sqlite|postgresql|postgres)://(.*)", re.DOTALL)
QUERY = re.compile(r"[?&]query=(.*)", re.DOTALL)
PASSWORD = re.compile(r"(?<=[?&]password=)[^&\s]+|(?<=://)([^/@:?\s]*):[^/@\s]*(?=@)")
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
READS = ("select", "with", "from", "values", "table", "(")
# SQLite has no types of columns: the driver takes those of its first batch, so one holds all rows.
ALL_ROWS = {"adbc.sqlite.query.batch_rows": str(10**9)}


@dataclass(frozen=True)
class _Source:
    """A database and what is asked of it."""

    kind: str
    place: str
    query: str


def is_query(source: object) -> bool:
    """Whether a table is named by the URL of a database.

    Examples
    --------
    >>> is_query("duckdb:///shop.duckdb?query=select * from sales"), is_query("sales.csv")
    (True, False)
    """
    return SOURCE.match(str(source)) is not None


def without_password(source: object) -> str:
    """A table's name as it may be shown and kept.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/shop?query=select 1")
    'postgresql://me:***@host/shop?query=select 1'
    """
    text = str(source)
    if not is_query(text):
        return text
    return PASSWORD.sub(lambda m: "***" if m[1] is None else f"{m[1]}:***", text)


def read_query(source: str) -> pa.Table:
    """The rows that a query gives.

    ``duckdb:///file?query=…``, ``sqlite:///file?query=…`` (a fourth slash begins an absolute path)
    or ``postgresql://user@host/database?query=…``. The query, which comes last, is read as it
    stands, or percent-decoded where it has no space.

    Raises
    ------
    TableError
        If the URL holds no query, the query does more than read, or the database refuses.
    """
    found = _split(source)
    open_connection = {"duckdb": _duckdb, "sqlite": _sqlite}.get(found.kind, _postgresql)
    try:
        with closing(open_connection(found)) as connection, closing(connection.cursor()) as cursor:
            if found.kind == "sqlite":
                cursor.adbc_statement.set_options(**ALL_ROWS)
            if open_connection is _postgresql:
                cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(found.query)
            return cursor.fetch_arrow_table()
    except ImportError as error:
        raise TableError(
            f"TABLE must be readable here; {found.kind} needs the package {error.name}. "
            "Run: pip install 'polytask[sql]'."
        ) from error
    except (_errors(), OSError) as error:
        raise TableError(
            f"TABLE must be a query that the database answers; {found.kind} said: "
            f"{_reason(error, source)}."
        ) from error


def _split(source: str) -> _Source:
    kind, rest = SOURCE.match(source).groups()  # type: ignore[union-attr]
    asked = QUERY.search(rest)
    if asked is None or not asked[1].strip():
        raise TableError(
            f"TABLE must hold a query; got {without_password(source)!r}. Write it at the end, as "
            f"in '{kind}:///shop.db?query=select * from sales'."
        )
    query = asked[1] if re.search(r"\s", asked[1].strip()) else unquote(asked[1])
    _check_reads(query)
    return _Source(kind, rest[: asked.start()], query)


def _check_reads(query: str) -> None:
    """One statement that begins as a question does; the connection refuses the rest."""
    bare = QUOTED.sub(" ", query).strip().rstrip(";").lower()
    if not bare.startswith(READS) or ";" in bare:
        raise TableError(
            f"TABLE must hold one query that reads, beginning with select or with; got {query!r}."
        )


def _duckdb(source: _Source) -> Any:
    driver = importlib.import_module("adbc_driver_duckdb").driver_path()
    place = {"path": _path(source), "access_mode": "READ_ONLY", "enable_external_access": "false"}
    dbapi = importlib.import_module("adbc_driver_manager.dbapi")
    return dbapi.connect(driver=driver, entrypoint="duckdb_adbc_init", db_kwargs=place)


def _sqlite(source: _Source) -> Any:
    dbapi = importlib.import_module("adbc_driver_sqlite.dbapi")
    return dbapi.connect(f"file:{quote(_path(source))}?mode=ro")


def _postgresql(source: _Source) -> Any:
    dbapi = importlib.import_module("adbc_driver_postgresql.dbapi")
    return dbapi.connect(f"postgresql://{source.place}")


def _path(source: _Source) -> str:
    """The file of the database."""
    path = Path(unquote(source.place.removeprefix("/")))
    if not source.place.startswith("/") or not path.is_file():
        raise TableError(
            f"TABLE must be in a database that exists; there is no file {str(path)!r}. A relative "
            f"path has three slashes before it, an absolute one four: {source.kind}:////data/x.db."
        )
    return str(path)


def _errors() -> type[Exception]:
    """What the drivers raise; nothing where they are not installed."""
    try:
        found: type[Exception] = importlib.import_module("adbc_driver_manager.dbapi").Error
    except ImportError:
        return TableError
    return found


def _reason(error: Exception, source: str) -> str:
    """The database's sentence, without what the driver adds, and without a password."""
    text = without_password(str(error).split("\n\n")[0])
    for found in PASSWORD.finditer(source):
        text = text.replace(found[0].removeprefix(f"{found[1]}:"), "***")
    text = re.sub(r"^([A-Z_]+: )?(\[\w+\] )?", "", " ".join(text.split()))
    return text.rstrip(".")[:300]
