#!/usr/bin/env bash
# sklearn2pmml 0.133: a missing value takes three ways through one decision tree: scikit-learn, JPMML and PyPMML answer
# differently.
#
# scikit-learn's trees know missing values since 1.3, and those of training data with gaps learn where to send them. The
# PMML of a tree does not say so: JPMML gives no prediction, PyPMML another number. Random forests do the
# same. Histogram boosting is exported with its branches for missing values, and all three agree.
#
# Expected before it was run: scikit-learn's answer from the file, or that the export refuses.
#
# Needs java (Debian: apt-get install default-jre-headless).
set -euo pipefail
command -v java > /dev/null || { echo "needs java: apt-get install default-jre-headless"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    sklearn2pmml==0.133.1 jpmml-evaluator==0.16.0 pypmml==1.5.8 scikit-learn==1.9.0 jpype1==1.7.1 pandas==3.1.1
"$folder/venv/bin/python" - "$folder" <<'PY'
import contextlib
import io
import sys

import numpy as np
import pandas as pd
from jpmml_evaluator import make_evaluator
from pypmml import Model
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor
from sklearn2pmml import sklearn2pmml
from sklearn2pmml.pipeline import PMMLPipeline

rng = np.random.default_rng(0)
x = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400)})
target = pd.Series(3.0 * x["x"] + x["z"], name="y")
x = x.mask(rng.random(x.shape) < 0.1)
rows = pd.DataFrame({"x": [1.0, np.nan], "z": [0.5, 0.5]})
found = {}
for name, model in (("tree", DecisionTreeRegressor(max_depth=4, random_state=0)),
                    ("boosting", HistGradientBoostingRegressor(max_iter=20, random_state=0))):
    pipeline, path = PMMLPipeline([("model", model)]).fit(x, target), f"{sys.argv[1]}/{name}.pmml"
    with contextlib.redirect_stdout(io.StringIO()):
        sklearn2pmml(pipeline, path)
    jpmml = make_evaluator(path).verify().evaluateAll(rows)["y"].to_numpy(dtype=float)
    pypmml = Model.load(path).predict(rows)["predicted_y"].to_numpy(dtype=float)
    found[name] = np.array([pipeline.predict(rows), jpmml, pypmml])
    for reader, values in zip(("scikit-learn", "JPMML", "PyPMML"), found[name], strict=True):
        print(f"{name:9} {reader:13} x = 1: {values[0]:.3f}   x missing: {values[1]:.3f}")
Model.close()
whole = max(np.ptp(v[:, 0]) for v in found.values())
if whole > 1e-3 or not np.ptp(found["boosting"][:, 1]) < 1e-3:
    raise SystemExit("CHANGED: rows without gaps, or histogram boosting, differ")
right, jpmml, pypmml = found["tree"][:, 1]
if not np.isnan(jpmml) or abs(pypmml - right) < 0.1:
    raise SystemExit("CHANGED: the tree of the file knows missing values")
print("as stated: a missing value is answered in three ways")
PY
