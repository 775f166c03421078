#!/usr/bin/env bash
# skl2onnx 1.20.0, onnxruntime 1.32.0: numbers beside a text column become text of eight digits.
#
# A ColumnTransformer that passes on a text column beside float64 numbers gives an object array in scikit-learn, with the
# numbers as they were. The converted graph casts the numbers to text (a tensor has one type) and joins them. onnxruntime's Cast from
# double to string keeps eight significant digits; onnx's own reference evaluator keeps all seventeen. So a model with a text
# column (a task, a group) beside its features would see 10000.126 for 10000.125730221094.
#
# Expected before it was run: the conversion fails, because a tensor cannot hold numbers and text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    scikit-learn==1.9.1 pandas==3.1.1 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
import pandas as pd
from onnx.reference import ReferenceEvaluator
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.compose import ColumnTransformer

table = pd.DataFrame({"dose": [10000.125730221094, 1 / 3], "site": ["north", "south"]})
keep = ColumnTransformer([("dose", "passthrough", ["dose"]), ("site", "passthrough", ["site"])])
print("scikit-learn     ", keep.fit_transform(table).tolist())
kinds = [("dose", DoubleTensorType([None, 1])), ("site", StringTensorType([None, 1]))]
graph = to_onnx(keep, initial_types=kinds)
feed = {"dose": table[["dose"]].to_numpy(), "site": table[["site"]].to_numpy(dtype=object)}
found = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, feed)[0]
print("onnxruntime      ", found.tolist())
reference = ReferenceEvaluator(graph).run(None, feed)[0]
print("reference of onnx", np.asarray(reference).tolist())
if [row[0] for row in found.tolist()] != ["10000.126", "0.33333333"]:
    raise SystemExit("CHANGED: numbers beside text are no longer cut to eight digits")
if [float(row[0]) for row in reference.tolist()] != table["dose"].tolist():
    raise SystemExit("CHANGED: the reference evaluator does not keep the digits")
print("as stated: eight digits are left in onnxruntime")
PY
