#!/usr/bin/env bash
# abess 0.4.11: sample weights of the Cox model are given to other rows, and do not weigh events as repeated rows do.
#
# `CoxPHSurvivalAnalysis.fit` sorts rows by time and leaves `sample_weight` in the order of the caller, so that the answer
# depends on the order of the table. Sorted by hand it is not right either: weights of 3 and 1 give something else than rows
# repeated three times and once, for which lifelines with the same weights gives the same coefficient to two digits.
#
# Expected before it was run: integer weights are repeated rows, as in lifelines, and the order of rows changes nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    abess==0.4.11 numpy==1.26.4 pandas==2.3.3 scikit-learn==1.9.1 lifelines==0.30.3
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from abess import CoxPHSurvivalAnalysis
from lifelines import CoxPHFitter

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 2))
early = np.arange(300) < 150
hazard = np.where(early, X[:, 0], -X[:, 0])  # the first column acts both ways: weights decide
time = rng.exponential(size=300) * np.exp(-hazard)
target = np.c_[time, np.ones(300)]
weight = np.where(early, 3.0, 1.0)


def coefficients(rows, **more):
    fitted = CoxPHSurvivalAnalysis(support_size=[2]).fit(X[rows], target[rows], **more)
    return fitted.coef_.round(2)


plain, by_time = np.arange(300), time.argsort()
weighted = coefficients(plain, sample_weight=weight)
sorted_rows = coefficients(by_time, sample_weight=weight[by_time])
repeated = coefficients(np.repeat(plain, weight.astype(int)))
table = pd.DataFrame(X, columns=["a", "b"]).assign(time=time, event=1, weight=weight)
peer = CoxPHFitter().fit(table, "time", "event", weights_col="weight", robust=True)
print("abess, weights:", weighted)
print("abess, weights, the same rows sorted by time:", sorted_rows)
print("abess, repeated rows:", repeated)
print("lifelines, weights:", peer.params_.to_numpy().round(2))
if abs(repeated - peer.params_).max() > 0.02:
    raise SystemExit("CHANGED: repeated rows no longer agree with lifelines")
if max(weighted[0], sorted_rows[0]) > 0.2 or not abs(weighted - sorted_rows).max() > 0.01:
    raise SystemExit("CHANGED: weights now count as repeated rows do, or in any order")
print("as stated: weighted rows are not repeated rows, and their order matters")
PY
