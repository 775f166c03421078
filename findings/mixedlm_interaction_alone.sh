#!/usr/bin/env bash
# mixedlm 1.3.0: in `y ~ x:f + (1 | g)` the first level of f has no slope in x.
#
# A product without the main effect of x stands for a slope in every level: R's rule of marginality gives f all of its
# columns there, and glmm 0.6.2 fits an intercept and three slopes. mixedlm drops the first level as if x were in the
# model too: an intercept and two slopes, a restricted log-likelihood 13.6 lower, and predictions at level a that are the
# same at x = -2 and x = 2, where the slope is 0.5. Nothing warns. With x in the formula both programs agree.
#
# Expected before it was run: the same log-likelihood from both, as of their other formulas.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    mixedlm==1.3.0 glmm==0.6.2 pandas==3.0.5 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import glmm
import mixedlm
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 400
g, x, f = rng.integers(20, size=n), rng.normal(size=n), rng.integers(3, size=n)
y = 1 + 0.5 * x + 0.7 * rng.normal(size=20)[g] + rng.normal(size=n)
table = pd.DataFrame({"y": y, "x": x, "f": np.array(["a", "b", "c"])[f], "g": [f"g{k}" for k in g]})
columns = {name: table[name].to_numpy() for name in table}


def both(formula):
    by_mixedlm, by_glmm = mixedlm.lmer(formula, table), glmm.fit(columns, formula)
    likelihood = by_mixedlm.logLik()
    likelihood = float(getattr(likelihood, "value", likelihood))
    slopes = len(by_mixedlm.fixef()), len(by_glmm.beta)
    print(f"{formula:24} log-likelihood {likelihood:.3f}, {by_glmm.loglik:.3f}; coefficients {slopes}")
    return by_mixedlm, likelihood - by_glmm.loglik, slopes


_, apart, coefficients = both("y ~ x + x:f + (1|g)")
assert abs(apart) < 1e-4 and coefficients == (4, 4)

model, apart, coefficients = both("y ~ x:f + (1|g)")
new = pd.DataFrame({"x": [-2.0, 2.0] * 3, "f": list("aabbcc"), "g": ["g1"] * 6})
low, high = np.asarray(model.predict(new)).reshape(3, 2).T
print("predictions at x = -2 and 2:", dict(zip("abc", zip(low.round(2).tolist(), high.round(2).tolist()))))
assert coefficients == (3, 4) and apart < -5
assert low[0] == high[0] and (np.abs(high - low)[1:] > 1).all()
PY
