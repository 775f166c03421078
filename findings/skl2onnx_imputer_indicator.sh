#!/usr/bin/env bash
# skl2onnx 1.20.0: SimpleImputer(add_indicator=True) is converted without its indicator columns.
#
# In scikit-learn the imputer makes a 0/1 column more for each column that had gaps in training. The converted graph has
# none of them and says nothing. A linear regression after it keeps its coefficients, so that the prediction of every row with a
# gap lacks the indicator's effect, here 5; rows without a gap are right.
#
# Expected before it was run: the converter refuses add_indicator=True, as it refuses infrequent categories of
# OneHotEncoder (NotImplementedError).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    scikit-learn==1.9.1 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 2)).astype(np.float32)
X[::4, 0] = np.nan
y = np.nan_to_num(X) @ [1.0, 2.0] + 5.0 * np.isnan(X[:, 0])


def answer(model):
    graph = to_onnx(model, initial_types=[("x", FloatTensorType([None, 2]))])
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    return session.run(None, {"x": X})[0]


imputer = SimpleImputer(add_indicator=True).fit(X)
shapes = imputer.transform(X).shape, answer(imputer).shape
print("columns made: scikit-learn", shapes[0][1], "- onnxruntime", shapes[1][1])
model = make_pipeline(SimpleImputer(add_indicator=True), LinearRegression()).fit(X, y)
error = np.abs(answer(model).ravel() - model.predict(X))
gap = np.isnan(X[:, 0])
print(f"largest difference of predictions: {error[~gap].max():.1e} without a gap, at least "
      f"{error[gap].min():.2f} with one")
if shapes != ((200, 3), (200, 2)) or error[~gap].max() > 1e-4 or error[gap].min() < 4.9:
    raise SystemExit("CHANGED: the indicator is no longer dropped in silence")
print("as stated: the indicator is dropped, predictions of rows with gaps are off by its effect")
PY
