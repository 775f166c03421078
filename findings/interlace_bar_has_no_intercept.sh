#!/usr/bin/env bash
# interlace-lme 0.3.2: (x | g) is a random slope without a random intercept.
#
# Its random terms are given as lme4's, and (1 + x | g) is what lme4 makes of it. But in lme4, in lme-python and in
# bambi, (x | g) means the same as (1 + x | g); interlace reads (0 + x | g), also for (x || g). The fit converges,
# without a warning, with one variance instead of two and, on this table, a log-likelihood lower by about 280.
#
# Expected before it was run: the fit of (1 + x | g).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    interlace-lme==0.3.2 pandas==3.1.1 lme-python==0.2.7 polars==2.1.0
"$folder/venv/bin/python" - <<'PY'
import warnings

import interlace
import lme_python
import numpy as np
import pandas as pd
import polars as pl

warnings.simplefilter("ignore")  # a hint that scikit-sparse would be faster
rng = np.random.default_rng(1)
n, groups = 400, 20
g, x = rng.integers(0, groups, n), rng.normal(size=n)
intercepts, slopes = 2.0 + rng.normal(size=groups), 1.0 + rng.normal(size=groups)
columns = {"y": intercepts[g] + slopes[g] * x + 0.5 * rng.normal(size=n), "x": x, "g": g}

found = {}
for term in ("(1 + x | g)", "(x | g)", "(0 + x | g)"):
    fit = interlace.fit("y ~ x", pd.DataFrame(columns), random=[term])
    other = lme_python.lmer(f"y ~ x + {term}", pl.DataFrame(columns))
    found[term] = fit.llf, other.log_likelihood
    print(f"{term:12} interlace {fit.llf:9.3f}, theta {fit.theta.round(3)}, lme-python {other.log_likelihood:9.3f}")
full, short, slope = found.values()
if abs(full[0] - full[1]) > 0.01 or abs(slope[0] - slope[1]) > 0.01 or abs(short[1] - full[1]) > 0.01:
    raise SystemExit("CHANGED: the two packages no longer agree on the terms that are written out")
if abs(short[0] - slope[0]) > 1e-6 or full[0] - short[0] < 100:
    raise SystemExit("CHANGED: interlace reads (x | g) with an intercept")
print("as stated: (x | g) has no intercept in interlace, and has one in lme-python")
PY
