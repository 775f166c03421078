#!/usr/bin/env bash
# scikit-survival 0.28.0: in boosting of the Cox loss, rows of sample weight 0 stay in every risk set.
#
# The gradient of the partial likelihood is made from all rows and then multiplied by the weights, so a weight does not
# reach the sums over those at risk. GradientBoostingSurvivalAnalysis and ComponentwiseGradientBoostingSurvivalAnalysis with
# weights 0 predict other risks than without the rows, and a weight of 3 is not a row three times. Equal weights
# change nothing.
#
# Expected before it was run: weight 0 is no row, as in scikit-learn's boosting of the squared loss.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    scikit-survival==0.28.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sksurv.ensemble import ComponentwiseGradientBoostingSurvivalAnalysis, GradientBoostingSurvivalAnalysis
from sksurv.util import Surv

rng = np.random.default_rng(0)
n = 200
x = rng.normal(size=(n, 2))
time, event = rng.exponential(np.exp(-x[:, 0])), rng.random(n) < 0.8
survival = Surv.from_arrays(event, time)

shallow = {"n_estimators": 20, "random_state": 0}
models = {
    "gradient boosting": (lambda: GradientBoostingSurvivalAnalysis(max_depth=1, **shallow), survival),
    "componentwise": (lambda: ComponentwiseGradientBoostingSurvivalAnalysis(**shallow), survival),
    "squared loss": (lambda: GradientBoostingRegressor(max_depth=1, **shallow), time),
}
halves, triples = np.tile([1.0, 0.0], n // 2), np.tile([1.0, 3.0], n // 2)
found = {}
for name, (make, y) in models.items():
    risk = {}
    for word, weight in (("0", halves), ("3", triples), ("equal", np.full(n, 3.0))):
        rows = np.repeat(np.arange(n), weight.astype(int))
        weighted, repeated = make().fit(x, y, sample_weight=weight), make().fit(x[rows], y[rows])
        apart = weighted.predict(x) - repeated.predict(x)
        risk[word] = np.abs(apart - apart.mean()).max()
    found[name] = list(risk.values())
    print(f"{name:18} weights against repeated rows: of 0 {risk['0']:.1e}, of 3 {risk['3']:.1e}, equal {risk['equal']:.1e}")
exact = [*found["squared loss"], found["gradient boosting"][2], found["componentwise"][2]]
if max(exact) > 1e-6:
    raise SystemExit("CHANGED: equal weights, or those of the squared loss, are not repeated rows")
if min(*found["gradient boosting"][:2], *found["componentwise"][:2]) < 0.01:
    raise SystemExit("CHANGED: weights are repeated rows in boosting of the Cox loss")
print("as stated: weights do not reach the risk sets")
PY
