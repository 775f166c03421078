#!/usr/bin/env bash
# pyreadr 0.5.8 reads an ordered factor of R as an unordered category; rdata 1.1.0 reads it right and writes it
# unordered.
#
# Levels and their sequence stay, so that the table looks right, but the flag is gone: column < "high" fails, and code
# that takes ordered categories for an ordinal target takes this one for a nominal one. Neither package says so. The
# file is saveRDS(data.frame(grade = factor(c("low", "high", "low"), c("low", "mid", "high"), ordered = TRUE)), version
# = 2) of R.
#
# Expected before it was run: an ordered category from both, and one that survives a round trip.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    pyreadr==0.5.8 rdata==1.1.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import base64
import os
import tempfile

import pyreadr
import rdata

SAVED_BY_R = base64.b64decode(
    "H4sIAAAAAAAAA12P3Q7CIAxGseDMlpiY+B57Hm+b0f0kTJJucbe+uGIZwwtu+h1KTwmPRikFygAo0IL6LuUkeY2HxDkN7GlULVk5"
    "epFbhG77ROpq57eM82QPNOM0jIV/7hwuWYejefFsiSl7VY/d6lnoW9pPnCnb/+bAaClNQiguG4srtj2LV+yq2W9t3he/DW8pIYRP"
    "fPgHH5r1LCEBAAA="
)
with tempfile.TemporaryDirectory() as folder:
    path, copy = os.path.join(folder, "table.rds"), os.path.join(folder, "copy.rds")
    with open(path, "wb") as file:
        file.write(SAVED_BY_R)
    found = {"pyreadr": pyreadr.read_r(path)[None]["grade"], "rdata": rdata.read_rds(path)["grade"]}
    rdata.write_rds(copy, rdata.read_rds(path))
    found["rdata, again"] = rdata.read_rds(copy)["grade"]
for name, column in found.items():
    print(f"{name:13}", column.tolist(), column.cat.categories.tolist(), "ordered:", column.cat.ordered)
if any([*c, *c.cat.categories] != ["low", "high", "low", "low", "mid", "high"] for c in found.values()):
    raise SystemExit("CHANGED: values or levels differ")
if [c.cat.ordered for c in found.values()] != [False, True, False]:
    raise SystemExit("CHANGED: the order of levels")
print("as stated: the order is lost by pyreadr's reading and by rdata's writing")
PY
