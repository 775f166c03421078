#!/usr/bin/env bash
# m2cgen 0.10.0: the code of a decision tree or a random forest with several targets predicts the first target alone.
#
# Of two targets DecisionTreeRegressor and RandomForestRegressor of scikit-learn 1.9 predict both, the code one number, that
# of the first; the export says nothing. Ridge with two targets gives both.
#
# Expected before it was run: a number for each target, as for Ridge, or a refusal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile m2cgen==0.10.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import m2cgen
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
Y = np.column_stack([X[:, 0] + 0.1 * rng.normal(size=300), 100.0 + X[:, 1]])


def of_code(model):
    names = {}
    exec(m2cgen.export_to_python(model), names)
    return np.array([names["score"](list(row)) for row in X])


for Model in (DecisionTreeRegressor, RandomForestRegressor, ExtraTreesRegressor):
    model = Model(max_depth=4, random_state=0).fit(X, Y)
    found, wanted = of_code(model), model.predict(X)
    print(f"{Model.__name__}: predicted {wanted[0].round(2)}, by the code {found[0].round(2)}")
    if found.shape != (300,) or np.abs(found - wanted[:, 0]).max() > 1e-9:
        raise SystemExit("CHANGED: the code gives more than the first target")
model = Ridge().fit(X, Y)
found, wanted = of_code(model), model.predict(X)
print(f"Ridge: predicted {wanted[0].round(2)}, by the code {found[0].round(2)}")
if found.shape != (300, 2) or np.abs(found - wanted).max() > 1e-9:
    raise SystemExit("CHANGED: Ridge with two targets")
print("as stated: other targets are lost")
PY
