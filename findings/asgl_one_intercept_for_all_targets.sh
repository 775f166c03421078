#!/usr/bin/env bash
# asgl 2.2: several targets share one intercept, and a group of columns is penalised by a spectral norm.
#
# `Regressor.fit` takes a matrix of targets ("simultaneous multi-response fitting"). Its intercept is one number for all of
# them, so that targets around 0 and around 100 are both predicted around 50, without a warning and with slopes that
# make up for it. The group lasso of several targets ("gl") takes the largest singular value of a group's coefficients,
# not their length: a group of two columns pays only for its strongest direction, so it is not a group lasso of the
# stacked coefficients, and differs from what other packages call so.
#
# Expected before it was run: one intercept a target, and the Frobenius norm of each group.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asgl==2.2.0 scikit-learn==1.9.1 cvxpy==1.7.5
"$folder/venv/bin/python" - <<'PY'
import cvxpy as cp
import numpy as np
from asgl import Regressor
from sklearn.linear_model import LinearRegression

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 6))
slopes = rng.normal(size=(6, 3)) * [3.0, 1.0, 0.3]
Y = X @ slopes + rng.normal(size=(80, 3)) + [0.0, 50.0, 100.0]

ours = Regressor(model="lm", penalization=None).fit(X, Y)
right = LinearRegression().fit(X, Y)
print("means of the targets:", Y.mean(axis=0).round(1))
print("intercepts, scikit-learn:", right.intercept_.round(1))
print("intercept, asgl:", np.round(ours.intercept_, 1))
print("mean predictions, asgl:", ours.predict(X).mean(axis=0).round(1))
if np.size(ours.intercept_) != 1:
    raise SystemExit("CHANGED: there is an intercept for each target")

groups = np.array([0, 0, 1, 1, 2, 2])
centred = Y - Y.mean(axis=0)
penalised = Regressor(model="lm", penalization="gl", lambda1=0.8, fit_intercept=False)
found = penalised.fit(X, centred, group_index=groups).coef_


def optimum(kind):
    B = cp.Variable((6, 3))
    price = sum(np.sqrt(2) * cp.norm(B[groups == g], kind) for g in range(3))
    cp.Problem(cp.Minimize(cp.sum_squares(centred - X @ B) / 80 + 0.8 * price)).solve()
    return B.value


apart = {kind: float(abs(optimum(kind) - found).max()) for kind in ("fro", 2)}
print("distance from the optimum with lengths:", round(apart["fro"], 3))
print("distance from the optimum with largest singular values:", round(apart[2], 3))
if apart[2] > 1e-3 or apart["fro"] < 0.05:
    raise SystemExit("CHANGED: groups are no longer penalised by spectral norms")
print("as stated: one intercept for three targets, and a spectral norm for each group")
PY
