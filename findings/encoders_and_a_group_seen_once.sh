#!/usr/bin/env bash
# scikit-learn 1.9.1 and category-encoders 2.11.2: what a group of one single row is encoded as, with 100 there and 5
# elsewhere.
#
# The two that estimate the shrinkage from data do not shrink it at all: TargetEncoder(smooth="auto") of scikit-learn
# and JamesSteinEncoder give 100, as one row has no variance. CatBoostEncoder equals MEstimateEncoder on larger groups,
# (sum + mean) / (n + 1), which would be about 53 here; it gives the mean of all rows instead, as for an unseen group.
# GLMMEncoder gives the deviation from the intercept, so that an unseen group is 0, which is far from every other
# group's target but not from its code.
#
# Expected before it was run: all of them well between 5 and 100, most of all the empirical Bayes ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    category-encoders==2.11.2 scikit-learn==1.9.1 pandas==3.1.1 statsmodels==0.15.0
"$folder/venv/bin/python" - <<'PY'
import warnings

import category_encoders
import numpy as np
import pandas as pd
from sklearn.preprocessing import TargetEncoder

warnings.simplefilter("ignore")  # GLMMEncoder's fit
rng = np.random.default_rng(0)
n = 300
group = np.array([f"g{i}" for i in rng.integers(0, 10, n)], dtype=object)
y = rng.normal(size=n) + 5.0
group[0], y[0] = "once", 100.0
rows, asked = pd.DataFrame({"g": group}), pd.DataFrame({"g": np.array(["once", "g1", "unseen"], dtype=object)})
mean, g1 = y.mean(), y[group == "g1"]
print(f"mean {mean:.2f}, group g1: {len(g1)} rows, mean {g1.mean():.2f}, (sum + mean) / (n + 1) "
      f"{(g1.sum() + mean) / (len(g1) + 1):.3f}")
found = {"TargetEncoder, sklearn": TargetEncoder(target_type="continuous").fit(rows, y).transform(asked)}
for name in ("JamesStein", "CatBoost", "MEstimate", "GLMM"):
    found[name] = getattr(category_encoders, f"{name}Encoder")().fit(rows, pd.Series(y)).transform(asked).to_numpy()
for name in found:
    found[name] = np.asarray(found[name], float).ravel()
    print(f"{name:23} once {found[name][0]:7.3f}, g1 {found[name][1]:7.3f}, unseen {found[name][2]:6.3f}")
if any(abs(found[name][0] - 100) > 1e-9 for name in ("TargetEncoder, sklearn", "JamesStein")):
    raise SystemExit("CHANGED: a single row is shrunk")
if abs(found["CatBoost"][1] - found["MEstimate"][1]) > 1e-9 or abs(found["MEstimate"][0] - (100 + mean) / 2) > 1e-9:
    raise SystemExit("CHANGED: CatBoost and MEstimate on larger groups")
if abs(found["CatBoost"][0] - mean) > 1e-9 or found["GLMM"][2] != 0 or found["GLMM"][0] < 50:
    raise SystemExit("CHANGED: CatBoost or GLMM")
print("as stated: not shrunk at all, or shrunk all the way")
PY
