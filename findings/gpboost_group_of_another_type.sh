#!/usr/bin/env bash
# gpboost 1.8.0: a group that is 20 in training and 20.0 in prediction is a new group, without a word.
#
# Labels are compared as text. pandas turns a whole-number column into floats as soon as one value in it is missing, so
# one gap in the task column of the table to be predicted makes every task unseen: each row gets the fixed effects and
# the variance of a new group. Integers asked as text ("20") do match. glmm-like strictness (an error) or a match by
# value would show it.
#
# Expected before it was run: 20.0 matches 20, as "20" does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    gpboost==1.8.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import gpboost
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 200
clinic, x = rng.integers(10, 22, n), np.column_stack([np.ones(n), rng.normal(size=n)])
effects = 3.0 * rng.normal(size=30)
y = x @ [2.0, 0.7] + effects[clinic] + rng.normal(size=n)
model = gpboost.GPModel(group_data=pd.Series(clinic), likelihood="gaussian")
model.fit(y=y, X=x)

rows = pd.Series(clinic[:4])
gap = pd.concat([rows, pd.Series([None])], ignore_index=True).astype("float64")[:4]
asked = {"whole numbers": rows, "text": rows.astype(str), "floats (a gap elsewhere)": gap, "new groups": rows + 100}
found = {}
for name, groups in asked.items():
    answer = model.predict(group_data_pred=groups, X_pred=x[:4], predict_var=True)
    found[name] = np.array([answer["mu"], answer["var"]])
    print(f"{name:25} mean {answer['mu'].round(3)} variance {answer['var'].round(3)}")
pairs = ("whole numbers", "text"), ("floats (a gap elsewhere)", "new groups")
same = [np.allclose(found[a], found[b]) for a, b in pairs]
if same != [True, True] or np.abs(found["whole numbers"] - found["new groups"]).max() < 1:
    raise SystemExit("CHANGED: floats are no longer new groups")
print("as stated: as floats, known groups are predicted as new ones")
PY
