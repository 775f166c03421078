#!/usr/bin/env bash
# deltalake 1.6 and polars 2.1: in a Delta table partitioned by group, the group "" is missing for one reader and there
# for the other.
#
# deltalake writes "" as a partition value; its own reader gives None, as the protocol says of empty partition values,
# so that rows of the group "" join those without a group. polars, which reads Delta by the same library, gives "".
# Without partitioning both keep "".
#
# Expected before it was run: what was written comes back, or writing refuses; and two readers agree.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    deltalake==1.6.6 polars==2.1.0 pandas==2.3.3 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import pandas as pd
import polars as pl
from deltalake import DeltaTable, write_deltalake

names = ["a", "", None]
rows = pd.DataFrame({"site": names, "x": range(3)})
found = {}
for way, by in (("plain", None), ("partitioned", ["site"])):
    path = f"{sys.argv[1]}/{way}"
    write_deltalake(path, rows, partition_by=by)
    read = DeltaTable(path).to_pandas().sort_values("x")["site"]
    found[way] = [None if pd.isna(v) else v for v in read], pl.read_delta(path).sort("x")["site"].to_list()
    print(f"{way:11} deltalake {found[way][0]}\n            polars    {found[way][1]}")
if found["plain"] != (names, names):
    raise SystemExit("CHANGED: without partitions the names differ")
if found["partitioned"] != (["a", None, None], names):
    raise SystemExit("CHANGED: names of partitions are read otherwise")
print("as stated: deltalake loses the group '', polars keeps it")
PY
