#!/usr/bin/env bash
# ADBC 1.13: what happens to "select 1; select 2" depends on the driver, and two of three lose a result in silence.
#
# cursor.execute takes one text. The SQLite driver runs the first statement and never the second, without a word. DuckDB's
# driver runs both and gives the rows of the last. (The PostgreSQL driver refuses: "cannot insert multiple commands into a
# prepared statement"; it needs a server, so it is not run here.)
#
# Expected before it was run: all drivers refuse, as one text is one prepared statement, and as Python's own sqlite3 does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    adbc-driver-manager==1.13.0 adbc-driver-sqlite==1.13.0 duckdb==2.0.1 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PY'
import sqlite3

import adbc_driver_duckdb.dbapi
import adbc_driver_sqlite.dbapi

found = {}
for name, driver in (("SQLite", adbc_driver_sqlite.dbapi), ("DuckDB", adbc_driver_duckdb.dbapi)):
    with driver.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select 1 as x; select 2 as x")
        found[name] = cursor.fetch_arrow_table()["x"].to_pylist()
        print(f"{name}: {found[name]}")
connection = sqlite3.connect(":memory:")
try:
    connection.execute("select 1; select 2")
    raise SystemExit("CHANGED: Python's sqlite3 takes two statements")
except sqlite3.Error as error:  # ProgrammingError; Warning before Python 3.12
    print("sqlite3 of Python refuses:", error)
except sqlite3.Warning as error:
    print("sqlite3 of Python refuses:", error)
finally:
    connection.close()
if found != {"SQLite": [1], "DuckDB": [2]}:
    raise SystemExit(f"CHANGED: expected the first row of SQLite and the last of DuckDB, got {found}")
print("as stated: SQLite drops the second statement, DuckDB the first result")
PY
