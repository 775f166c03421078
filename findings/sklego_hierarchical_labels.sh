#!/usr/bin/env bash
# scikit-lego 0.9.10 (scikit-learn 1.9): HierarchicalClassifier takes the labels for positions; of -1 and 1 all are 1.
#
# Probabilities of a group are written to the places that its labels say. With -1 and 1 both go to the last place: the
# first class has probability 0 in every row, rows sum to less than one, and predict() answers 1 for everything, without
# a word. 0 and 1 are right; 1 and 2, or text, end in an IndexError. GroupedPredictor is right with all of them.
#
# Expected before it was run: labels of any kind, as in every classifier of scikit-learn.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    scikit-lego==0.9.10 scikit-learn==1.9.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklego.meta import GroupedPredictor, HierarchicalClassifier

rng = np.random.default_rng(0)
rows = pd.DataFrame({"clinic": np.repeat(["a", "b", "c"], 60), "dose": rng.normal(size=180)})
one = 2 * rows["dose"] + rng.normal(size=180) > 0
found = {}
for low in (0, -1):
    label = np.where(one, 1, low)
    for Model in (GroupedPredictor, HierarchicalClassifier):
        model = Model(LogisticRegression(), groups="clinic").fit(rows, label)
        proba, said = model.predict_proba(rows), np.unique(model.predict(rows)).tolist()
        right = float(np.mean(model.predict(rows) == label))
        found[Model.__name__, low] = right
        print(f"{Model.__name__:23} labels {low:2} and 1: says {said}, right {right:.2f}, "
              f"first row sums to {proba[0].sum():.2f}")
if found["HierarchicalClassifier", -1] > 0.6:
    raise SystemExit("CHANGED: labels of -1 and 1 are told apart")
if min(v for k, v in found.items() if k != ("HierarchicalClassifier", -1)) < 0.8:
    raise SystemExit("CHANGED: another case is wrong too")
print("as stated: of -1 and 1 every row is 1")
PY
