#!/usr/bin/env bash
# glum 3.4.1: predict() reads a data frame by position, although the model knows its columns' names.
#
# A model fitted on a frame with columns x and group, asked with group and x, predicts without a word, and wrongly:
# dummy columns of the group take the coefficient of x. scikit-learn refuses ("The feature names should match those that
# were passed during fit"). feature_names_ is right, categories are matched by name within a column, and with formula="x
# + group" the order of the columns does not matter.
#
# Expected before it was run: columns matched by name, or refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    glum==3.4.1 pandas==3.1.1 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from glum import GeneralizedLinearRegressor
from sklearn.linear_model import PoissonRegressor

rng = np.random.default_rng(0)
n = 400
table = pd.DataFrame({"x": rng.normal(size=n), "group": pd.Categorical(rng.choice(list("abc"), n))})
y = rng.poisson(np.exp(0.5 * table["x"] + table["group"].map({"a": 0.0, "b": 1.0, "c": -1.0}).astype(float)))
other = table[["group", "x"]]
named = {"family": "poisson", "alpha": 0.001}
plain = GeneralizedLinearRegressor(drop_first=True, **named).fit(table, y)
written = GeneralizedLinearRegressor(formula="x + group", **named).fit(table, y)
moved = [np.abs(model.predict(other) - model.predict(table)).max() for model in (plain, written)]
print("columns:", plain.feature_names_, "largest prediction", plain.predict(table).max().round(2))
print(f"columns swapped: predictions move by {moved[0]:.2f}, with a formula by {moved[1]:.1e}")
numbers = table.assign(group=table["group"].cat.codes)
try:
    PoissonRegressor().fit(numbers, y).predict(numbers[["group", "x"]])
    raise SystemExit("CHANGED: scikit-learn takes swapped columns")
except ValueError as error:
    print("scikit-learn refuses:", str(error).splitlines()[0])
if moved[0] < 0.5 or moved[1] > 1e-9:
    raise SystemExit("CHANGED: the order of columns")
print("as stated: columns are taken by position")
PY
