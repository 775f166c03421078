#!/usr/bin/env bash
# abess 0.4.11: groups of columns are sorted before they are used, so that columns apart are grouped with their neighbours.
#
# `group=[0, 1, 0, 1]` says that the first and third column go together. abess sorts the list and cuts the columns into
# runs: it fits as if `[0, 0, 1, 1]` had been said, without a word. Columns selected together are then not those named,
# as with the levels of two factors that stand in turn, or features by task.
#
# Expected before it was run: each group has the columns that carry its number (as in skglm or group-lasso), or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    abess==0.4.11 numpy==1.26.4 pandas==2.3.3 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from abess import LinearRegression

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
y = X[:, 0] - X[:, 2] + 0.1 * rng.normal(size=200)


def support(columns, group):
    coef = LinearRegression(support_size=[1], group=group).fit(X[:, columns], y).coef_
    return sorted(columns[j] for j in np.flatnonzero(coef))


in_turn = support([0, 1, 2, 3], [0, 1, 0, 1])
side_by_side = support([0, 2, 1, 3], [0, 0, 1, 1])
print("one group of two is asked for; the target is made of columns 0 and 2, which are one")
print("columns in turn, selected:", in_turn)
print("the same groups side by side, selected:", side_by_side)
if side_by_side != [0, 2]:
    raise SystemExit("CHANGED: the right group is no longer found side by side")
if in_turn == [0, 2]:
    raise SystemExit("CHANGED: groups follow their numbers")
print("as stated: a group of columns apart becomes a group of neighbours")
PY
