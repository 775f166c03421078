#!/usr/bin/env bash
# crepes 0.9.1: a group without calibration rows gets the prediction interval [0, 0], without a word.
#
# Targets lie about 10. Groups 0 and 1 have calibration rows, group 2 has none (a new hospital). The 90% intervals of
# groups 0 and 1 run from about 8 to 12; that of group 2 is [0, 0], from the Mondrian conformal regressor and from the
# predictive system alike, whose p-value is 0, too. No warning is given. A group of 5 calibration rows gets an interval
# without ends, and a warning.
#
# Expected before it was run: an error, or the interval without ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    crepes==0.9.1 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
from crepes import WrapRegressor
from sklearn.linear_model import LinearRegression


def group(X):
    return X[:, 1].astype(int)


rng = np.random.default_rng(0)
X = np.column_stack([rng.normal(size=600), rng.integers(3, size=600)])
y = 10 + X[:, 0] + rng.normal(size=600)
first = np.arange(600) < 300
calibration = ~first & (group(X) < 2)
asked = np.array([[0.0, 0], [0.0, 1], [0.0, 2]])

model = WrapRegressor(LinearRegression())
model.fit(X[first], y[first])
said, found = {}, {}
for name, more in {"regressor": {}, "predictive system": {"cps": True}}.items():
    model.calibrate(X[calibration], y[calibration], mc=group, **more)
    with warnings.catch_warnings(record=True) as said[name]:
        warnings.simplefilter("always")
        found[name] = np.asarray(model.predict_int(asked, confidence=0.9))
    print(name, *(f"group {k}: [{a:.2f}, {b:.2f}]" for k, (a, b) in enumerate(found[name])))
p = np.ravel(model.predict_p(asked, y=np.full(3, 10.0)))
print("p-values of 10:", p.round(2), "warnings:", sum(map(len, said.values())))

few = calibration & ((group(X) == 0) | (np.cumsum(calibration & (group(X) == 1)) <= 5))
with warnings.catch_warnings(record=True) as of_few:
    warnings.simplefilter("always")
    model.calibrate(X[few], y[few], mc=group)
    ends = np.asarray(model.predict_int(asked[:2], confidence=0.9))
print("group 1 with five calibration rows:", ends[1], "warnings:", len(of_few))

for intervals in found.values():
    if (intervals[2] != 0).any() or (intervals[:2, 0] < 5).any():
        raise SystemExit("CHANGED: the interval of a group without calibration rows")
if p[2] != 0 or p[:2].min() < 0.1 or any(said.values()):
    raise SystemExit("CHANGED: the p-value, or a warning")
if np.isfinite(ends[1]).any() or not of_few:
    raise SystemExit("CHANGED: a group of five calibration rows")
print("as stated: [0, 0] where nothing is known, and no warning")
PY
