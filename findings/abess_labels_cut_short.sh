#!/usr/bin/env bash
# abess 0.4.11: predicted labels are cut to the length of the first one, and a third class is never predicted.
#
# `LogisticRegression.predict` fills an array that has the type of its first label: of "no" and "yes" it answers "no" and
# "ye". With three classes it fits one class against the others and says nothing; the third class is never predicted.
#
# Expected before it was run: labels as they were given, and a multinomial fit or an error for three classes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    abess==0.4.11 numpy==1.26.4 pandas==2.3.3 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
from abess import LogisticRegression

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4))
score = X[:, 0] + 0.1 * rng.normal(size=200)
two = np.where(score > 0, "yes", "no")
three = np.digitize(score, [-0.5, 0.5])
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    words = LogisticRegression(support_size=[1]).fit(X, two).predict(X)
    classes = LogisticRegression(support_size=[1]).fit(X, three).predict(X)
told = [str(w.message) for w in said if "class" in str(w.message)]
print("labels given:", sorted(set(two)), "predicted:", sorted(map(str, set(words))))
print("accuracy:", (words == two).mean())
print("classes given:", sorted(set(three.tolist())), "predicted:", sorted(set(classes.tolist())))
if set(map(str, words)) != {"no", "ye"}:
    raise SystemExit("CHANGED: labels are no longer cut short")
if 2 in classes or told:
    raise SystemExit("CHANGED: a third class is predicted, or something is said of it")
print("as stated: 'ye' for 'yes', and two classes for three")
PY
