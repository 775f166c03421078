#!/usr/bin/env bash
# celer 0.7.4: GroupLasso gives every column that no group names the coefficient 0, and says nothing.
#
# With groups=[[0, 1], [2, 3]] on six columns, columns 4 and 5 are left out of the model, however much they explain.
# skglm, by the same group of authors, refuses the same groups: the members must add up to the number of columns. group-
# lasso reads a column outside all groups (-1) as one without penalty, which is the opposite.
#
# Expected before it was run: an error as in skglm, or no penalty for them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    celer==0.7.4 skglm==0.5 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from celer import GroupLasso
from skglm import GroupLasso as Strict

rng = np.random.default_rng(0)
x = rng.normal(size=(100, 6))
y = x @ [1.0, 0.0, 0.0, 0.0, 0.0, 5.0] + 0.1 * rng.normal(size=100)
part, whole = [[0, 1], [2, 3]], [[0, 1], [2, 3], [4, 5]]
found = GroupLasso(groups=part, alpha=0.1).fit(x, y)
full = GroupLasso(groups=whole, alpha=0.1).fit(x, y)
print("all columns in groups:", full.coef_.round(2), "R2", round(full.score(x, y), 3))
print("two in no group:      ", found.coef_.round(2), "R2", round(found.score(x, y), 3))
try:
    Strict(groups=part, alpha=0.1).fit(x, y)
    raise SystemExit("CHANGED: skglm takes such groups")
except ValueError as error:
    print("skglm refuses:", error)
if (found.coef_[4:] != 0).any() or full.coef_[5] < 4 or found.score(x, y) > 0.2:
    raise SystemExit("CHANGED: columns outside the groups are used")
print("as stated: a column outside all groups is dropped in silence")
PY
