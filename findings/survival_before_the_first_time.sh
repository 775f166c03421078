#!/usr/bin/env bash
# lifelines 0.30.3 and scikit-survival 0.28.0: before the first time in training the predicted survival is not 1.
#
# Nobody here has an event before time 3, where 18% of the rows have one. Kaplan-Meier of both packages says 1 at times
# 0 and 2.9. Cox models of both, and scikit-survival's forests and boosting, give at time 0 what they give at time 3:
# 0.855 for the first row. Between two times (3 and 4) lifelines joins the cumulative hazards by a line and answers
# 0.768 where scikit-survival has the step, 0.855; lifelines' own Kaplan-Meier has a step, too.
#
# Expected before it was run: 1 before the first time, a step in between. Brier scores and areas on a grid of times see
# both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    lifelines==0.30.3 scikit-survival==0.28.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.nonparametric import SurvivalFunctionEstimator
from sksurv.util import Surv

rng = np.random.default_rng(0)
n = 200
x = rng.normal(size=(n, 2))
time = 2.0 + np.ceil(3 * rng.exponential(np.exp(-x[:, 0])))
event = rng.random(n) < 0.7
y, table = Surv.from_arrays(event, time), pd.DataFrame(x, columns=["a", "b"]).assign(time=time, event=event)
print("first times:", np.unique(time)[:3])

asked = [0.0, 2.9, 3.0, 3.5, 4.0]
cox = CoxPHSurvivalAnalysis(ties="efron").fit(x, y)
forest = RandomSurvivalForest(n_estimators=10, random_state=0).fit(x, y)
found = {
    "Kaplan-Meier, lifelines": KaplanMeierFitter().fit(time, event).predict(asked).to_numpy(),
    "Kaplan-Meier, sksurv": SurvivalFunctionEstimator().fit(y).predict_proba(np.array(asked)),
    "Cox, lifelines": CoxPHFitter().fit(table, "time", "event").predict_survival_function(x[:1], asked).to_numpy().T[0],
    "Cox, sksurv": cox.predict_survival_function(x[:1])[0](asked),
    "forest, sksurv": forest.predict_survival_function(x[:1])[0](asked),
}
for name, values in found.items():
    print(f"{name:24}", *(f"{t:g}: {value:.3f} " for t, value in zip(asked, values)))
meier = [found[name] for name in found if name.startswith("Kaplan")]
if any((curve[:2] != 1).any() or curve[2] != curve[3] for curve in meier):
    raise SystemExit("CHANGED: Kaplan-Meier is no step function from 1")
models = [curve for name, curve in found.items() if not name.startswith("Kaplan")]
if any(curve[0] != curve[2] or curve[2] > 0.9 for curve in models):
    raise SystemExit("CHANGED: survival before the first time is another one")
line = np.exp((np.log(found["Cox, lifelines"][2]) + np.log(found["Cox, lifelines"][4])) / 2)
if abs(line - found["Cox, lifelines"][3]) > 1e-6 or found["Cox, sksurv"][3] != found["Cox, sksurv"][2]:
    raise SystemExit("CHANGED: between two times")
print("as stated: the first step reaches back to time 0, and lifelines draws lines between steps")
PY
