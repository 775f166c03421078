#!/usr/bin/env bash
# interlace-lme 0.3.2: clmm sorts the levels of an ordinal target by the alphabet, also those of an ordered category.
#
# A target low < mid < high < top as an ordered pandas category is read as high < low < mid < top: the fit converges
# without a warning, with the log-likelihood of the same text without an order, 99 below that of the codes 0 to 3, and
# the effect of x shrinks. The names of the thresholds are the only sign. R's clmm takes the order of the factor.
#
# Expected before it was run: the order of the category, and a refusal of plain text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    interlace-lme==0.3.2 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import interlace
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 600
g, x = rng.integers(0, 30, n), rng.normal(size=n)
codes = np.digitize(1.2 * x + rng.normal(size=30)[g] + rng.logistic(size=n), [-1.0, 0.5, 2.0])
names = np.array(["low", "mid", "high", "top"], dtype=object)
targets = {"codes 0 to 3": codes, "plain text": names[codes],
           "ordered category": pd.Categorical(names[codes], categories=list(names), ordered=True)}
found = {}
for name, target in targets.items():
    fit = interlace.clmm("y ~ x", pd.DataFrame({"y": target, "x": x, "g": [f"g{i:02d}" for i in g]}), groups="g")
    found[name] = fit.llf, float(fit.fe_params["x"]), list(fit.thresholds)
    print(f"{name:17} log-likelihood {fit.llf:.2f}, effect of x {found[name][1]:.3f}, thresholds {found[name][2]}")
right, text, ordered = found.values()
if ordered != text or right[0] - ordered[0] < 20 or abs(ordered[1]) > 0.9 * abs(right[1]):
    raise SystemExit("CHANGED: the order of an ordered category is kept")
print("as stated: the order of the category is not used")
PY
