#!/usr/bin/env bash
# skl2onnx 1.20.0: OrdinalEncoder loses the refusal of unknown categories.
#
# OrdinalEncoder() has handle_unknown="error": scikit-learn raises ValueError on a category that was not in
# training. The converted graph answers -1 and goes on, for text and for integers, and nothing says so.
# OneHotEncoder() with the same handle_unknown="error" keeps the refusal: onnxruntime fails.
#
# Expected before it was run: onnxruntime refuses, as scikit-learn does and as OneHotEncoder's graph does.
# Why it matters: a linear model reads -1 as one step below the first category; a task column encoded so gives an
# unseen task the coefficients of position -1, in many languages the last task.
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
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

onnxruntime.set_default_logger_severity(4)


def answer(encoder, known, asked, kind):
    graph = to_onnx(encoder.fit(known), initial_types=[("x", kind([None, 1]))])
    return onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"x": asked})[0]


def refusal(call, *words):
    try:
        call()
    except Exception as error:
        assert any(word in str(error) for word in words), error
        return f"refused: {str(error)[:90]}"
    raise SystemExit("CHANGED: an unknown category was accepted")


text = np.array([["a"], ["b"], ["c"]], dtype=object), np.array([["a"], ["zzz"]], dtype=object)
whole = np.array([[1], [2], [3]]), np.array([[1], [9]])
encoder = OrdinalEncoder().fit(text[0])
print("scikit-learn OrdinalEncoder  ", refusal(lambda: encoder.transform(text[1]), "unknown categories"))
one_hot = OneHotEncoder(sparse_output=False)
print("onnxruntime  OneHotEncoder   ",
      refusal(lambda: answer(one_hot, *text, StringTensorType), "Unknown Category"))
for name, (known, asked), kind in (("text", text, StringTensorType), ("int64", whole, Int64TensorType)):
    found = answer(OrdinalEncoder(), known, asked, kind).ravel().tolist()
    print(f"onnxruntime  OrdinalEncoder, {name}: known and unknown give {found}")
    if found != [0.0, -1.0]:
        raise SystemExit(f"CHANGED: expected [0.0, -1.0], got {found}")
print("as stated: the refusal is lost, an unknown category becomes -1")
PY
