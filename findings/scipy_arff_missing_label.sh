#!/usr/bin/env bash
# scipy 1.17: arff.loadarff reads a missing nominal value as the label b"?", which no function takes for missing.
#
# A missing number becomes NaN; a missing school becomes the bytes b"?", a school that the attribute does not list. In
# pandas isna() is False for it, groupby gives it a mean, an encoder a column. Labels are bytes as well: == "A" is False
# for b"A".
#
# Expected before it was run: None or NaN, as for numbers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile scipy==1.17.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
import io

import pandas as pd
from scipy.io import arff

TEXT = """@relation exam
@attribute school {A,B}
@attribute score numeric
@data
A,1
?,2
B,?
?,4
"""
data, meta = arff.loadarff(io.StringIO(TEXT))
table = pd.DataFrame(data)
print("declared:", meta["school"], "read:", table["school"].tolist())
print("missing schools:", int(table["school"].isna().sum()), "missing scores:", int(table["score"].isna().sum()))
means = table.groupby("school")["score"].mean()
print("mean by school:", means.to_dict())
if int(table["score"].isna().sum()) != 1:
    raise SystemExit("CHANGED: a missing number")
if table["school"].isna().any() or list(means.index) != [b"?", b"A", b"B"] or means[b"?"] != 3:
    raise SystemExit("CHANGED: a missing label is read otherwise")
print('as stated: rows without a school make up a school "?"')
PY
