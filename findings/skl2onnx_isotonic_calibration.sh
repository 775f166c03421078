#!/usr/bin/env bash
# skl2onnx 1.20.0: probabilities calibrated by isotonic regression are steps in the graph, lines in scikit-learn.
#
# scikit-learn 1.9 joins the thresholds of CalibratedClassifierCV(method="isotonic") by lines. The graph takes the value
# of the nearest threshold: of 2,000 rows 185 get a probability that is off by more than 0.01, at worst by 0.07, and 6
# another label. The conversion says nothing. With method="sigmoid" both agree to 1e-6.
#
# Expected before it was run: the same probabilities to single precision, or a refusal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    skl2onnx==1.20.0 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==1.26.4
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
X, new = (rng.normal(size=(n, 3)).astype(np.float32) for n in (300, 2000))
y = (X[:, 0] + 0.5 * rng.normal(size=300) > 0).astype(int)
apart = {}
for method in ("sigmoid", "isotonic"):
    model = CalibratedClassifierCV(LogisticRegression(), method=method).fit(X, y)
    graph = to_onnx(model, X[:1], options={id(model): {"zipmap": False}})
    label, p = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": new})
    far = np.abs(p - model.predict_proba(new)).max(axis=1)
    apart[method] = far.max(), (far > 0.01).sum(), (label != model.predict(new)).sum()
    print(f"{method:8} apart by {far.max():.2g} at most, by more than 0.01 in {apart[method][1]} rows,",
          f"another label in {apart[method][2]}")
if apart["sigmoid"][0] > 1e-6 or apart["sigmoid"][2]:
    raise SystemExit("CHANGED: sigmoid calibration")
if apart["isotonic"][0] < 0.05 or apart["isotonic"][1] < 100 or not apart["isotonic"][2]:
    raise SystemExit("CHANGED: the graph says what scikit-learn says")
print("as stated: other probabilities, and no word")
PY
