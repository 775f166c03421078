#!/usr/bin/env bash
# rpy2 3.5.17: on the way to R and back a gap among integers becomes -2147483648, and integers of which one is large become text.
#
# pandas' Int64 column 1, NA, 3 is right in R and comes back, without a word, as 1, -2147483648, 3. A column with an
# identifier of 3000000000 becomes text in R, and so do categories of numbers, both with a warning; categories of text
# become factors, with their order. (3.6.9 does not load beside R 4.2.)
#
# Expected before it was run: a gap comes back as NaN, large integers become doubles, categories of numbers factors.
#
# Needs R with its headers (Debian 12: apt-get install r-base-dev).
set -euo pipefail
command -v R > /dev/null || { echo "needs R: apt-get install r-base-dev"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile rpy2==3.5.17 pandas==2.3.3 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import pandas as pd
import rpy2.robjects as ro
from rpy2.robjects import pandas2ri
from rpy2.robjects.conversion import get_conversion, localconverter

print(ro.r("R.version.string")[0])
table = pd.DataFrame(
    {
        "gap": pd.array([1, None, 3], dtype="Int64"),
        "whole": [1, 2, 3],
        "large": [3_000_000_000, 1, 2],
        "level": pd.Categorical(["b", "a", "b"], categories=["b", "a"]),
        "grade": pd.Categorical([3, 1, 3]),
    }
)
kinds, back = {}, {}
for name in table:
    with localconverter(ro.default_converter + pandas2ri.converter):
        there = get_conversion().py2rpy(table[[name]])
    kinds[name] = ro.r("function(x) class(x[[1]])")(there)[0]
    values = ro.r("function(x) paste(x[[1]], collapse = ', ')")(there)[0]
    with localconverter(ro.default_converter + pandas2ri.converter):
        back[name] = get_conversion().rpy2py(there)[name].tolist()
    print(f"{name:6} {table[name].dtype!s:9} -> R {kinds[name]:9} {values} -> {back[name]}")
if kinds != {"gap": "integer", "whole": "integer", "large": "character", "level": "factor", "grade": "character"}:
    raise SystemExit("CHANGED: the kinds in R")
if back["gap"] != [1, -(2**31), 3] or back["whole"] != [1, 2, 3] or back["large"] != ["3000000000", "1", "2"]:
    raise SystemExit("CHANGED: what comes back")
print("as stated: gaps become numbers, large integers and numbered categories text")
PY
