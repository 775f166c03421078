#!/usr/bin/env bash
# lifelines 0.30.3: with a status of 1 (censored) and 2 (dead), as R's survival data have it, every row is an event.
#
# R's Surv() knows that coding; files read by pyreadr, rdata or pyreadstat bring it. CoxPHFitter and KaplanMeierFitter
# take it without a word and count all rows as events: the coefficients are those of event = 1 everywhere. A fractional
# event indicator is cut down in KaplanMeierFitter: 0.5 counts as censored. scikit-survival refuses 1 and 2.
#
# Expected before it was run: an error, as the indicator is neither boolean nor 0/1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    lifelines==0.30.3 scikit-survival==0.28.0
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from sksurv.util import Surv

warnings.simplefilter("error", UserWarning)
rng = np.random.default_rng(0)
n = 200
x = rng.normal(size=(n, 2))
time, event = rng.exponential(np.exp(-x[:, 0])), (rng.random(n) < 0.5).astype(int)
found = {}
for name, status in (("0/1", event), ("1/2", event + 1), ("all events", np.ones(n, int))):
    table = pd.DataFrame(x, columns=["a", "b"]).assign(time=time, status=status)
    model = CoxPHFitter().fit(table, "time", "status")
    half = KaplanMeierFitter().fit(time, status).survival_function_at_times([0.5]).iloc[0]
    found[name] = model.params_.to_numpy(), half
    print(f"{name:10} coefficients {found[name][0].round(4)}, Kaplan-Meier at 0.5: {half:.4f}, "
          f"events {int(model.event_observed.sum())}")
fraction = KaplanMeierFitter().fit(time, event * 0.5).survival_function_at_times([0.5]).iloc[0]
print("Kaplan-Meier with events of 0.5:", fraction)
try:
    Surv.from_arrays(event + 1, time)
    raise SystemExit("CHANGED: scikit-survival takes 1 and 2")
except ValueError as error:
    print("scikit-survival refuses:", error)
same = [np.allclose(found["1/2"][i], found["all events"][i]) for i in (0, 1)]
if same != [True, True] or np.abs(found["0/1"][0] - found["1/2"][0]).max() < 0.01 or fraction != 1:
    raise SystemExit("CHANGED: a status of 1 and 2 is read otherwise")
print("as stated: 1 and 2 are both events")
PY
