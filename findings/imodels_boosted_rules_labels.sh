#!/usr/bin/env bash
# imodels 3.0.4: BoostedRulesClassifier learns from the labels 0 and 1 alone; of "no" and "yes" it predicts "no" everywhere.
#
# With 0 and 1 it is right in 98 rows of 100. With the same classes as "no" and "yes" every probability is 0.5, with 1 and 2 or
# -1 and 1 the rules are those of another target; nothing is said, and classes_ names the labels rightly. Other classifiers of the
# package, and scikit-learn's boosting, do not mind the names.
#
# Expected before it was run: a model that does not depend on the names of the classes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    imodels==3.0.4 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 six==1.17.0
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
from imodels import BoostedRulesClassifier, FIGSClassifier
from sklearn.ensemble import AdaBoostClassifier

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 3))
yes = (x @ [1.0, 2.0, 0.5] > 0).astype(int)
names = {"0 and 1": yes, "1 and 2": yes + 1, "-1 and 1": 2 * yes - 1, "no and yes": np.array(["no", "yes"])[yes]}
right = {}
for model in (BoostedRulesClassifier, FIGSClassifier, AdaBoostClassifier):
    for name, labels in names.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = model().fit(x, labels)
            right[model.__name__, name] = (fitted.predict(x) == labels).mean()
            chance = fitted.predict_proba(x)[:, 1]
        print(f"{model.__name__:22} labels {name:10} right {right[model.__name__, name]:.2f}, "
              f"probability of the second class {chance.min():.2f} to {chance.max():.2f}")
of_boosting = [share for (model, name), share in right.items() if model.startswith("Boosted")]
if min(share for (model, name), share in right.items() if not model.startswith("Boosted")) < 0.9 or of_boosting[0] < 0.9:
    raise SystemExit("CHANGED: the others, or the labels 0 and 1, are not learned")
if max(of_boosting[1:]) > 0.6:
    raise SystemExit("CHANGED: other labels are learned")
print("as stated: only 0 and 1 are learned from")
PY
