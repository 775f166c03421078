#!/usr/bin/env bash
# mord 0.7: OrdinalRidge and LAD predict a class that does not exist, and what score() means depends on the class of
# model.
#
# Both round a linear prediction and cut it at 0 below and at the largest label above. With labels 1 to 4 they answer 0
# for low rows; with labels 1, 3, 7, 9 they answer 2, 4, 5 and others. The logistic models take labels 1 to 4 rightly
# and refuse gaps. score() is minus the mean absolute error in LogisticAT and LAD, minus the squared one in LogisticSE
# and OrdinalRidge, and the accuracy in LogisticIT: a search that compares them takes LogisticIT whenever it is right
# once.
#
# Expected before it was run: predictions are among classes_, and one score for all five.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    mord==0.7 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import mord
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(300, 2))
y = np.digitize(1.5 * x[:, 0] + rng.logistic(size=300), [-1.0, 0.5, 2.0]) + 1
spread = np.array([0, 1, 3, 7, 9])[y]
classes, meaning = {}, {}
for name in ("LogisticAT", "LogisticSE", "LogisticIT", "OrdinalRidge", "LAD"):
    model = getattr(mord, name)().fit(x, y)
    answer = model.predict(x)
    classes[name] = sorted({int(v) for v in answer})
    scores = {"accuracy": np.mean(answer == y), "minus the absolute error": -np.mean(np.abs(answer - y)),
              "minus the squared error": -np.mean((answer - y) ** 2)}
    meaning[name] = [word for word, value in scores.items() if abs(value - model.score(x, y)) < 1e-12]
    print(f"{name:12} labels 1-4, predicted {classes[name]}, score {model.score(x, y):.3f}: {meaning[name][0]}")
gaps = sorted({int(v) for v in mord.OrdinalRidge().fit(x, spread).predict(x)})
print("OrdinalRidge labels 1, 3, 7, 9, predicted", gaps)
if any(classes[name] != [1, 2, 3, 4] for name in ("LogisticAT", "LogisticSE", "LogisticIT")):
    raise SystemExit("CHANGED: the logistic models predict other classes")
if any(classes[name] != [0, 1, 2, 3, 4] for name in ("OrdinalRidge", "LAD")) or set(gaps) <= {1, 3, 7, 9}:
    raise SystemExit("CHANGED: predictions are among the labels")
words = [found[0].removeprefix("minus the ").removesuffix(" error") for found in meaning.values()]
if words != ["absolute", "squared", "accuracy", "squared", "absolute"]:
    raise SystemExit("CHANGED: what score() is")
print("as stated: class 0 is predicted, and three kinds of score stand side by side")
PY
