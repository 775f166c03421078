#!/usr/bin/env bash
# interlace-lme 0.3.2: predict(new rows) works out the formula's columns from the new rows alone, not from the training
# table.
#
# A text column gets its dummy columns from the levels among the rows asked for, and center(), scale() and bs() use
# those rows' own mean, spread and knots. So three rows that are all "b" get the prediction of "a", an unknown level "z"
# gets it too, and a centred number predicts the mean for every single row. Nothing is said. The training table itself
# is predicted right, and so is any batch that happens to hold all levels.
#
# Expected before it was run: the levels and the state of training, as patsy and formulaic keep them, and an error for
# "z".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    interlace-lme==0.3.2 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import interlace
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 120
table = pd.DataFrame({"arm": np.where(rng.random(n) < 0.5, "a", "b"), "x": rng.normal(size=n),
                      "clinic": rng.integers(0, 12, n)})
table["y"] = 10.0 + 5.0 * (table["arm"] == "b") + 2.0 * table["x"] + rng.normal(size=n)
table["y"] += 2.0 * rng.normal(size=12)[table["clinic"]]

arms = interlace.fit("y ~ arm", table, groups="clinic")
rows = table.head(3)
same = [arms.predict(rows.assign(arm=level), include_re=False).round(2).tolist() for level in ("a", "b", "z")]
print("effect of b in the fit:", round(float(arms.fe_params["arm[T.b]"]), 2))
print("three rows of a, of b, of the unknown z:", *same)
print("largest error on the training rows:", np.abs(arms.predict(table) - arms.fittedvalues).max())

centred = interlace.fit("y ~ center(x)", table, groups="clinic")
single = [float(centred.predict(table.iloc[[i]].assign(x=x), include_re=False)[0]) for i, x in ((0, -2.0), (0, 2.0))]
print("one row with x = -2, one with x = 2:", np.round(single, 3), "slope", round(float(centred.fe_params.iloc[1]), 2))
if not (same[0] == same[1] == same[2] and single[0] == single[1]):
    raise SystemExit("CHANGED: new rows are coded by the state of training")
if np.abs(arms.predict(table) - arms.fittedvalues).max() > 1e-8 or abs(arms.fe_params["arm[T.b]"]) < 4:
    raise SystemExit("CHANGED: the fit itself is another one")
print("as stated: levels and means come from the rows that are asked for")
PY
