#!/usr/bin/env bash
# himalaya 0.4.11: coefficients of a banded ridge come in the order of its groups, not of the columns.
#
# `GroupRidgeCV(groups=[0, 1, 0, 1])` puts the columns of a group side by side and leaves `coef_` so: the second coefficient
# is that of the third column. Its `predict` does the same to new rows and is right; who multiplies by `coef_`, names the
# coefficients by column, or exports them is wrong. The docs give `coef_` as (n_features, n_targets), "Ridge coefficients".
#
# Expected before it was run: a coefficient for each column, in the order of the columns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    himalaya==0.4.11 numpy==1.26.4 scipy==1.15.3 scikit-learn==1.9.1 packaging==26.4 matplotlib
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from himalaya.ridge import GroupRidgeCV

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
truth = np.array([1.0, 2.0, 3.0, 4.0])
Y = (X @ truth + 0.01 * rng.normal(size=200))[:, None]
params = {"progress_bar": False, "alphas": np.array([1e-6])}
model = GroupRidgeCV(groups=[0, 1, 0, 1], fit_intercept=True, random_state=0, solver_params=params)
model.fit(X, Y)
coef = model.coef_.ravel()
by_hand = X @ coef + model.intercept_
print("true coefficients:", truth)
print("coef_:", coef.round(2))
print("largest error of predict:", abs(model.predict(X).ravel() - Y.ravel()).max().round(2))
print("largest error of X @ coef_ + intercept_:", abs(by_hand - Y.ravel()).max().round(2))
if abs(coef - truth).max() < 0.1:
    raise SystemExit("CHANGED: coefficients follow the columns")
if abs(coef - truth[[0, 2, 1, 3]]).max() > 0.1:
    raise SystemExit("CHANGED: coefficients follow neither columns nor groups")
print("as stated: the second coefficient belongs to the third column")
PY
