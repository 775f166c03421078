#!/usr/bin/env bash
# lme-python 0.2.7 and mixedlm 1.3.0: (1 + year | clinic) with years of 2010 to 2021 ends far below the likelihood of
# years 0 to 11.
#
# Both columns describe one and the same model: with a full covariance an intercept at year 0 or at year 2010 is a
# change of parameters, and glmm gives one log-likelihood for both. lme-python loses about 25 and says it converged,
# without a warning; mixedlm loses about 160, says it converged and that the fit is singular, so that the random slope
# seems to be superfluous.
#
# Expected before it was run: the same log-likelihood to three digits, or a failure to converge that is told.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    glmm==0.6.2 mixedlm==1.3.0 lme-python==0.2.7 polars==2.1.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import warnings

import glmm
import lme_python
import mixedlm
import numpy as np
import pandas as pd
import polars as pl

rng = np.random.default_rng(0)
n, groups = 600, 30
g, year = rng.integers(0, groups, n), rng.integers(0, 12, n).astype(float)
intercepts, slopes = rng.normal(size=groups), 0.3 * rng.normal(size=groups)
y = 0.2 * year + intercepts[g] + slopes[g] * year + rng.normal(size=n)

found, formula = {}, "y ~ year + (1 + year | g)"
for first in (0, 2010):
    columns = {"y": y, "year": year + first, "g": g}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        one, two = glmm.fit(pd.DataFrame(columns), formula), lme_python.lmer(formula, pl.DataFrame(columns))
        quiet = not said
        three = mixedlm.lmer(formula, pd.DataFrame(columns))
    found[first] = np.array([one.loglik, two.log_likelihood, three.logLik().value])
    print(f"years from {first:4}: glmm %.3f, lme-python %.3f, mixedlm %.3f" % tuple(found[first]),
          f"(lme-python: converged {two.converged}, warned {not quiet})")
lost = found[0] - found[2010]
print("lost by calendar years:", lost.round(3))
if np.ptp(found[0]) > 0.001 or abs(lost[0]) > 0.001:
    raise SystemExit("CHANGED: the fits of years 0 to 11, or glmm")
if not (two.converged and quiet and lost[1] > 5 and lost[2] > 50):
    raise SystemExit("CHANGED: years of 2010 and later")
print("as stated: without subtracting a year the maximum is missed")
PY
