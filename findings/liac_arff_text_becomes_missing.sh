#!/usr/bin/env bash
# liac-arff 2.5.0: what dumps() writes, loads() reads back as something else, for the texts "" and "?" and for decimals.
#
# The empty text and the text "?" come back as None, as a real gap does; a category named "?" of a nominal attribute as
# well. In an INTEGER attribute 2.7 is read as 2, where scipy reads 2.7. OpenML's files are ARFF: a task or label named
# "?" turns into missing values without a word.
#
# Expected before it was run: text is quoted where it has to be; 2.7 is refused or kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    liac-arff==2.5.0 scipy==1.17.1
"$folder/venv/bin/python" - <<'PY'
import io

import arff
from scipy.io.arff import loadarff


def again(attribute, values):
    written = {"relation": "r", "description": "", "attributes": [attribute], "data": [[v] for v in values]}
    return [row[0] for row in arff.loads(arff.dumps(written))["data"]]


texts = ["?", "", None, "a b", "it's"]
text, nominal = again(("note", "STRING"), texts), again(("site", ["?", "north"]), ["?", None, "north"])
print("text   ", texts, "->", text)
print("nominal", ["?", None, "north"], "->", nominal)
source = "@relation r\n@attribute x integer\n@data\n1\n2.7\n-0.9\n"
whole = [row[0] for row in arff.loads(source)["data"]]
other = loadarff(io.StringIO(source))[0]["x"].tolist()
print("integer 1, 2.7, -0.9 ->", whole, "- scipy", other)
if text != [None, None, None, "a b", "it's"] or nominal != [None, None, "north"]:
    raise SystemExit("CHANGED: text comes back otherwise")
if whole != [1, 2, 0] or other != [1.0, 2.7, -0.9]:
    raise SystemExit("CHANGED: decimals in an integer attribute")
print("as stated: texts turn into gaps, decimals into whole numbers")
PY
