#!/usr/bin/env bash
# Order of levels: DuckDB 2.0 makes every category ordered; polars 2.1, Lance 14 and Vortex 0.93 make ordered ones
# unordered.
#
# A pandas category (b, a, z) without an order goes through DuckDB and comes back ordered, so that code which takes
# ordered categories for an ordinal target takes this one. The ordered category low < mid < high becomes a polars
# Categorical, from pandas and from a Parquet file of pandas, and is sorted by the alphabet: high < low < mid. Lance
# keeps the levels without their order, Vortex gives text. Feather and Parquet between pandas and pandas keep both.
#
# Expected before it was run: Arrow has a flag for this, and programs built on Arrow hand it on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    duckdb==2.0.1 polars==2.1.0 pylance==14.0.2 vortex-data==0.93.0 pandas==2.3.3 pyarrow==26.0.1
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import duckdb
import lance
import pandas as pd
import polars as pl
import pyarrow as pa
import vortex

folder = sys.argv[1]
rows = pd.DataFrame({
    "grade": pd.Categorical(["mid", "low", "high"], ["low", "mid", "high"], ordered=True),
    "color": pd.Categorical(["b", "a", "z"], ["b", "a", "z"]),
})


def flags(table):
    kinds = [table[name].dtype for name in ("grade", "color")]
    return [kind.ordered if isinstance(kind, pd.CategoricalDtype) else "text" for kind in kinds]


table = pa.Table.from_pandas(rows, preserve_index=False)
rows.to_parquet(f"{folder}/rows.parquet")
rows.to_feather(f"{folder}/rows.feather")
lance.write_dataset(table, f"{folder}/rows.lance")
vortex.io.write(table, f"{folder}/rows.vortex")
found = {
    "pandas, Parquet": flags(pd.read_parquet(f"{folder}/rows.parquet")),
    "pandas, Feather": flags(pd.read_feather(f"{folder}/rows.feather")),
    "DuckDB": flags(duckdb.sql("select * from rows").df()),
    "polars": flags(pl.from_pandas(rows).to_pandas()),
    "polars, Parquet": flags(pl.read_parquet(f"{folder}/rows.parquet").to_pandas()),
    "Lance": flags(lance.dataset(f"{folder}/rows.lance").to_table().to_pandas()),
    "Vortex": flags(vortex.open(f"{folder}/rows.vortex").to_arrow().read_all().to_pandas()),
}
for name, (grade, color) in found.items():
    print(f"{name:16} grade ordered: {grade}   color ordered: {color}")
sorted_by_polars = pl.from_pandas(rows)["grade"].sort().to_list()
print("polars sorts low < mid < high as", sorted_by_polars)
kept, lost = [True, False], [False, False]
stated = dict(zip(found, [kept, kept, [True, True], lost, lost, lost, ["text", "text"]], strict=True))
if found != stated or sorted_by_polars != ["high", "low", "mid"]:
    raise SystemExit(f"CHANGED: expected {stated}")
print("as stated: DuckDB adds an order, the other three lose it")
PY
