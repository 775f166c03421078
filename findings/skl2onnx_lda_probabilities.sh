#!/usr/bin/env bash
# skl2onnx 1.20.0: probabilities of linear discriminant analysis with two classes are those of twice the score.
#
# scikit-learn 1.9's are sigmoid(score); the graph gives sigmoid(2 score): 0.23 becomes 0.08, at worst they are 0.15 apart.
# Labels agree, and so do probabilities of three classes, and of quadratic discriminant analysis.
#
# Expected before it was run: the same probabilities to single precision.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    skl2onnx==1.20.0 onnxruntime==1.32.0 scikit-learn==1.9.1 numpy==1.26.4
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from scipy.special import expit
from skl2onnx import to_onnx
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

rng = np.random.default_rng(0)
X, new = (rng.normal(size=(n, 4)).astype(np.float32) for n in (300, 2000))
score = X @ np.array([1, 2, 0, -1]) + rng.normal(size=300)
two, three = (score > 0).astype(int), np.digitize(score, [-1, 1])
apart = {}
for Model, y in ((LinearDiscriminantAnalysis, two), (LinearDiscriminantAnalysis, three), (QuadraticDiscriminantAnalysis, two)):
    model = Model().fit(X, y)
    graph = to_onnx(model, X[:1], options={id(model): {"zipmap": False}})
    label, p = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": new})
    off = float(np.abs(p - model.predict_proba(new)).max())
    print(f"{Model.__name__}, {len(model.classes_)} classes: probabilities apart {off:.2g}, same labels {(label == model.predict(new)).mean():.3f}")
    apart[Model, len(model.classes_)] = off
    if Model is LinearDiscriminantAnalysis and y is two:
        s = model.decision_function(new)
        print("  first rows, scikit-learn", expit(s)[:4].round(3), "graph", p[:4, 1].round(3))
        if np.abs(p[:, 1] - expit(2 * s)).max() > 1e-5:
            raise SystemExit("CHANGED: the graph's probabilities are not those of twice the score")
wrong = apart.pop((LinearDiscriminantAnalysis, 2))
if wrong < 0.1 or max(apart.values()) > 1e-5:
    raise SystemExit("CHANGED: which probabilities are apart")
print("as stated: with two classes the score counts twice")
PY
