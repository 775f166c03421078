#!/usr/bin/env bash
# onnxmltools 1.16.0: the graph of an XGBoost regressor with several targets puts their sum into the first column, 0 into the rest.
#
# XGBRegressor fitted to two or three targets, or to two quantiles, becomes a graph with as many columns. The first holds
# what the trees of all targets add up to, the others are 0. With one target the graph is right to 1e-6. onnxruntime has only
# a shape to remark on.
#
# Expected before it was run: a column for each target, or an error as for classifiers of several labels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    onnxmltools==1.16.0 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0 xgboost==3.2.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 2)).astype(np.float32)
targets = np.column_stack([x[:, 0], 10 + x[:, 1], -5 - x[:, 0]])


def both(model, y):
    model.fit(x, y)
    graph = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 2]))])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    answer = session.run(None, {"x": x})[0]
    expected = model.predict(x)
    return answer, expected.reshape(len(x), -1)


asked = {f"{k} targets": both(xgboost.XGBRegressor(n_estimators=50), targets[:, :k]) for k in (1, 2, 3)}
quantiles = xgboost.XGBRegressor(n_estimators=50, objective="reg:quantileerror", quantile_alpha=np.array([0.1, 0.9]))
asked["2 quantiles"] = both(quantiles, targets[:, 0])
for name, (answer, expected) in asked.items():
    print(f"{name}: first row of the graph {answer[0].round(2)}, of XGBoost {expected[0].round(2)}; "
          f"largest error by column {np.abs(answer - expected).max(axis=0).round(2)}")
wrong = [answer for name, (answer, _) in asked.items() if name != "1 targets"]
if np.abs(np.subtract(*asked["1 targets"])).max() > 1e-5:
    raise SystemExit("CHANGED: one target is wrong too")
if max(np.abs(answer[:, 1:]).max() for answer in wrong) > 0 or np.abs(np.subtract(*asked["3 targets"])).max() < 5:
    raise SystemExit("CHANGED: the other targets are not 0")
print("as stated: all but the first target are 0")
PY
