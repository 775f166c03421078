#!/usr/bin/env bash
# formulae 0.9.0 (bambi's formulas): without parentheses the grouping after a bar is dropped, whatever it names.
#
# lme4 also takes y ~ x | g. In formulae "y ~ x | g" gives the columns of y ~ x and no group-specific ones; "y ~ x + 1 |
# g" gives y ~ x as well, and "y ~ x | nowhere" too, although the table has no such column. There is neither a warning
# nor an error, so that a model without any random effect is fitted. The bar binds more loosely than the tilde there.
#
# Expected before it was run: the columns of y ~ (x | g), or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    formulae==0.9.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from formulae import design_matrices

rng = np.random.default_rng(0)
table = pd.DataFrame({"y": rng.normal(size=30), "x": rng.normal(size=30), "g": np.repeat(list("abc"), 10)})
found = {}
for formula in ("y ~ x + (1|g)", "y ~ (x|g)", "y ~ x|g", "y ~ x + 1|g", "y ~ x|nowhere"):
    made = design_matrices(formula, table)
    found[formula] = list(made.common.terms), list(made.group.terms) if made.group is not None else []
    print(f"{formula:14} common {found[formula][0]}, by group {found[formula][1]}")
if found["y ~ x + (1|g)"][1] != ["1|g"] or found["y ~ (x|g)"][1] != ["1|g", "x|g"]:
    raise SystemExit("CHANGED: terms in parentheses are read otherwise")
if any(found[formula] != (["Intercept", "x"], []) for formula in ("y ~ x|g", "y ~ x + 1|g", "y ~ x|nowhere")):
    raise SystemExit("CHANGED: a bar without parentheses is no longer dropped")
print("as stated: without parentheses the groups are gone")
PY
