#!/usr/bin/env bash
# fastparquet 2026.9.0: a categorical column of True and False is read back as True everywhere.
#
# True, False, True written by fastparquet come back from fastparquet as True, True, True, with both categories in the
# dtype and no warning. pyarrow refuses the file (no dictionaries of booleans). Plain booleans and categories of text or
# of whole numbers come back as they were.
#
# Expected before it was run: True, False, True, as category or as plain booleans.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PY'
import os
import tempfile

import fastparquet
import pandas as pd
import pyarrow.parquet

table = pd.DataFrame({"plain": [True, False, True], "flag": pd.Categorical([True, False, True]),
                      "text": pd.Categorical(["yes", "no", "yes"]), "whole": pd.Categorical([1, 0, 1])})
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "table.parquet")
    fastparquet.write(path, table)
    back = fastparquet.ParquetFile(path).to_pandas()
    try:
        refused = f"accepted {pyarrow.parquet.read_table(path)['flag'].to_pylist()}"
    except OSError as error:
        refused = f"refused: {error}"
for name in table:
    print(f"{name:6} {table[name].dtype!s:9} written {table[name].tolist()}, read {back[name].tolist()}")
print("pyarrow:", refused)
if any(back[name].tolist() != table[name].tolist() for name in ("plain", "text", "whole")):
    raise SystemExit("CHANGED: other columns are not kept")
if back["flag"].tolist() != [True] * 3 or not refused.startswith("refused"):
    raise SystemExit("CHANGED: categories of booleans")
print("as stated: False is read as True")
PY
