#!/usr/bin/env bash
# DuckDB 2.0.1: read_csv takes nested identifiers such as 12-3-4 (school, class, pupil) for days, and t and f for booleans.
#
# 12-3-4 becomes 2012-03-04, 1/2/3 midnight of 0001-02-03, 0x1F the number 31. Whether a table has days or text depends
# on its numbers: with a class 13 or a pupil 32 the column stays text, so that two files of one study do not join.
# pandas, polars and pyarrow leave 12-3-4 and t as they are; dtypes or all_varchar=True do here.
#
# Expected before it was run: days are written with a year of four digits, other text stays text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    duckdb==2.0.1 pandas==2.3.3 polars==2.1.0 pyarrow==26.0.1 numpy==2.4.6
"$folder/venv/bin/python" - "$folder/a.csv" <<'PY'
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.csv

path = Path(sys.argv[1])
columns = {
    "nested": (["12-3-4", "1-2-3", "7-11-2"], ["2012-03-04", "2001-02-03", "2007-11-02"]),
    "nested, class 13": (["12-3-4", "1-13-3", "7-11-2"], ["12-3-4", "1-13-3", "7-11-2"]),
    "by strokes": (["1/2/3", "4/5/6", "2/2/2"], ["0001-02-03 00:00:00", "0004-05-06 00:00:00", "0002-02-02 00:00:00"]),
    "arm": (["t", "f", "t"], ["True", "False", "True"]),
    "hexadecimal": (["0x1F", "0x2", "0xA"], ["31", "2", "10"]),
}
changed = []
for name, (ids, stated) in columns.items():
    path.write_text("id,y\n" + "".join(f"{i},{n}\n" for n, i in enumerate(ids * 20)))
    rows = duckdb.sql(f"select id from read_csv('{path}') limit 3").fetchall()
    found = [str(row[0]) for row in rows]
    others = {
        "pandas": pd.read_csv(path)["id"].astype(str).tolist()[:3],
        "polars": pl.read_csv(path)["id"].cast(pl.String).to_list()[:3],
        "pyarrow": [str(value) for value in pyarrow.csv.read_csv(path)["id"].to_pylist()[:3]],
    }
    print(f"{name}: {ids} -> DuckDB {found}; pandas {others['pandas']}")
    if found != stated:
        changed.append(name)
    if name != "hexadecimal" and any(read != ids for read in others.values()):
        changed.append(f"{name} by {others}")
text = duckdb.sql(f"select id from read_csv('{path}', all_varchar = true) limit 3").fetchall()
if [row[0] for row in text] != columns["hexadecimal"][0]:
    changed.append("all_varchar")
if changed:
    raise SystemExit(f"CHANGED: {changed}")
print("as stated: identifiers become days, booleans and numbers")
PY
