#!/usr/bin/env bash
# skl2onnx 1.20.0: the graph of an MLPRegressor with several targets gives one column, the targets of a row below each other.
#
# For 50 rows and three targets scikit-learn 1.9 predicts (50, 3), the graph (150, 1): the second number is the second target
# of the first row. The conversion says nothing. Ridge, trees and neighbours keep their shape.
#
# Expected before it was run: a column for each target.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    skl2onnx==1.20.0 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==1.26.4
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.tree import DecisionTreeRegressor

warnings.simplefilter("ignore")
onnxruntime.set_default_logger_severity(4)
rng = np.random.default_rng(0)
X, new = (rng.normal(size=(n, 4)).astype(np.float32) for n in (300, 50))
Y = np.column_stack([X[:, 0], 10 + X[:, 1], 20 + X[:, 2]])


def both(model):
    model.fit(X, Y)
    session = onnxruntime.InferenceSession(to_onnx(model, X[:1]).SerializeToString())
    return model.predict(new), session.run(None, {"X": new})[0]


for model in (Ridge(), DecisionTreeRegressor(max_depth=4), KNeighborsRegressor()):
    ours, graph = both(model)
    print(f"{type(model).__name__}: {ours.shape}, by the graph {graph.shape}, apart {np.abs(ours - graph).max():.1g}")
    if graph.shape != (50, 3) or np.abs(ours - graph).max() > 1e-4:
        raise SystemExit("CHANGED: models that were right")
ours, graph = both(MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=300, random_state=0))
print(f"MLPRegressor: {ours.shape}, by the graph {graph.shape}; first rows {ours[:2].round(1).tolist()}, graph {graph[:6].ravel().astype(float).round(1).tolist()}")
if graph.shape != (150, 1) or np.abs(graph.reshape(50, 3) - ours).max() > 1e-3:
    raise SystemExit("CHANGED: the shape of a network's predictions")
print("as stated: the targets of a network stand below each other")
PY
