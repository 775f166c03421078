#!/usr/bin/env bash
# statsmodels 0.15: OrderedModel of a category with a level that no row has gives a model without slopes.
#
# The target low < mid < high < top, where nobody is "high" (a filter, a fold, a small task): the threshold of the empty
# level is -inf, the slope stays at its start value 0, and every row is predicted alike. The warnings speak of convergence
# and of a logarithm, not of the level. Without the empty level the slope is found. R's clm drops the level; polr keeps
# it with a probability of about 1e-5, and both find the slope.
#
# Expected before it was run: the level is dropped, or an error names it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    statsmodels==0.15.0 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import pandas as pd
from statsmodels.miscmodels.ordinal_model import OrderedModel

rng = np.random.default_rng(0)
x = pd.DataFrame({"x": rng.normal(size=400)})
place = np.digitize(1.5 * x["x"] + rng.logistic(size=400), [-1.0, 1.0])
names = np.array(["low", "mid", "top"])[place]
found = {}
for name, levels in (("levels with rows", ["low", "mid", "top"]), ("one without", ["low", "mid", "high", "top"])):
    target = pd.Series(pd.Categorical(names, levels, ordered=True))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = OrderedModel(target, x, distr="logit").fit(method="bfgs", disp=0)
    slope, spread = float(fit.params["x"]), float(np.ptp(np.asarray(fit.predict())[:, 0]))
    found[name] = slope, spread
    print(f"{name:16} slope {slope:.3f}, P(low) differs between rows by {spread:.3f}, "
          f"warnings {sorted({str(w.message) for w in told})}")
(slope, spread), (flat, same) = found.values()
if not 1 < slope < 2 or spread < 0.5:
    raise SystemExit("CHANGED: the model of three levels")
if abs(flat) > 1e-6 or same > 1e-6:
    raise SystemExit("CHANGED: a level without rows no longer spoils the fit")
print("as stated: a level without rows removes the slope")
PY
