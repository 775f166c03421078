#!/usr/bin/env bash
# dask-ml 2025.1: the intercept is penalised with the coefficients.
#
# `LinearRegression`, `LogisticRegression` and `PoissonRegression` of dask-ml add a column of ones and shrink it too. Their
# `penalty="l2"`, `C=1` are the defaults: a target of mean 100 is predicted by 89 at C=0.01 and by 44 at C=0.001, and adding a
# constant to the target does not add it to the predictions. scikit-learn's Ridge predicts 100 at any strength.
#
# Expected before it was run: an intercept without a penalty, as in the estimators of scikit-learn that they follow.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    dask-ml==2025.1.0 dask-glm==0.4.0 "dask[array]==2026.8.0" scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PY'
import dask.array as da
import numpy as np
from dask_ml.linear_model import LinearRegression
from sklearn.linear_model import Ridge

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 3))
X -= X.mean(axis=0)
y = X @ [1.0, 2.0, 3.0] + rng.normal(size=400)
y += 100 - y.mean()
blocks = da.from_array(X, chunks=(100, 3))


def fit(C, shift):
    model = LinearRegression(penalty="l2", C=C, solver="lbfgs", max_iter=1000)
    return model.fit(blocks, da.from_array(y + shift, chunks=100))


for C in (1.0, 0.01, 0.001):
    ours, peer = fit(C, 0.0), Ridge(alpha=1 / C).fit(X, y)
    print(f"C={C}: intercept {ours.intercept_:.1f} of dask-ml, {peer.intercept_:.1f} of Ridge; mean of y {y.mean():.1f}")
shrunk = fit(0.001, 0.0).intercept_
if abs(shrunk - y.mean()) < 10:
    raise SystemExit("CHANGED: the intercept is no longer penalised")
if abs(shrunk - y.mean() * 800 / (800 + 1000)) > 1:  # of sum (y - b)^2 + 1 / (2 C) b^2
    raise SystemExit("CHANGED: the intercept is shrunk by another rule")
print("as stated: the intercept is shrunk as a coefficient of a column of ones would be")
PY
