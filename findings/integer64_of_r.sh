#!/usr/bin/env bash
# pyreadr 0.5.8: identifiers of R's class integer64 are read as numbers near zero.
#
# `data.table::fread` and database drivers of R give long identifiers the class "integer64" (package bit64): eight bytes of an
# integer in a vector of doubles. The reader keeps the doubles and drops the class. School 7 becomes 3.5e-323, in silence;
# distinct schools stay distinct, so that tables still group and join with one another, but not with any other source, and
# arithmetic that flushes such small numbers to zero makes one school of all. rdata 1.1 returns the same, but warns.
#
# Expected before it was run: int64, or a warning that the class is not known.
set -euo pipefail
command -v Rscript >/dev/null || { echo "Rscript is missing: apt-get install r-base-core"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyreadr==0.5.8 rdata==1.1.0 pandas==2.3.3
Rscript --vanilla - "$folder/table.rds" <<'R'
# What bit64::as.integer64(7:9) holds, made without the package.
bytes <- writeBin(c(7L, 0L, 8L, 0L, 9L, 0L), raw(), endian = "little")
school <- structure(readBin(bytes, "double", n = 3, endian = "little"), class = "integer64")
table <- data.frame(score = c(1.5, 2.5, 3.5))
table$school <- school
saveRDS(table, commandArgs(trailingOnly = TRUE)[1])
cat(R.version.string, "\n")
R
"$folder/venv/bin/python" - "$folder/table.rds" <<'PY'
import sys
import warnings

import numpy as np
import pyreadr
import rdata

path = sys.argv[1]
for name, read in (("pyreadr", lambda: pyreadr.read_r(path)[None]), ("rdata", lambda: rdata.read_rds(path))):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        school = np.asarray(read()["school"])
    told = [str(w.message) for w in said if "integer64" in str(w.message)]
    print(f"{name}: {school} {school.dtype}; warned of: {told or 'nothing'}")
    print(f"{name}: the same bytes as integers: {school.view(np.int64)}")
    if school.dtype != np.float64 or bool(told) != (name == "rdata"):
        raise SystemExit(f"CHANGED: {name} reads integer64, or says otherwise of it")
print("as stated: schools 7, 8 and 9 are read as numbers below 1e-322")
PY
