#!/usr/bin/env bash
# pyreadstat 1.3.7: two codes with the same value label become one category; pandas refuses such a file.
#
# Surveys label code 1 and code 2 both "North" (two offices, one region), or both "other".
# read_dta(apply_value_formats=True) puts the label in place of the code, so that two tasks are one from then on,
# without a warning; pandas.read_stata, which does the same by default, stops with "Value labels for column site are not
# unique". Codes without a label stay as numbers beside the text.
#
# Expected before it was run: an error or distinct names, as a label is no key.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    pyreadstat==1.3.7 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import os
import tempfile

import pandas as pd
import pyreadstat

codes = pd.DataFrame({"site": [1.0, 2.0, 3.0, 4.0, 2.0]})
labels = {1.0: "North", 2.0: "North", 3.0: "South"}
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "table.dta")
    pyreadstat.write_dta(codes, path, variable_value_labels={"site": labels})
    plain = pyreadstat.read_dta(path)[0]["site"].tolist()
    named = pyreadstat.read_dta(path, apply_value_formats=True)[0]["site"]
    try:
        refused = f"accepted {pd.read_stata(path)['site'].tolist()}"
    except ValueError as error:
        refused = f"refused: {str(error).strip().splitlines()[0]}"
print("codes     ", plain, "- distinct:", len(set(plain)))
print("pyreadstat", named.tolist(), "- distinct:", named.nunique())
print("pandas    ", refused)
if plain != codes["site"].tolist() or named.tolist() != ["North", "North", "South", 4.0, "North"]:
    raise SystemExit("CHANGED: pyreadstat reads something else")
if not refused.startswith("refused"):
    raise SystemExit("CHANGED: pandas takes labels that are not unique")
print("as stated: four codes, three categories")
PY
