#!/usr/bin/env bash
# lme-python 0.2.7 and interlace-lme 0.3.2: the log-likelihood of a weighted fit depends on the unit of the weights.
#
# With prior weights w the noise of row i has variance s2 / w_i, so that ten times the weights give ten times s2 and the
# same model. glmm (and lme4) gives the same likelihood for both. lme-python and interlace leave out sum(log w_i) / 2:
# their estimates are right, but log-likelihood and AIC move by n log(10) / 2, here 138, and a weighted fit compared
# with an unweighted one by AIC wins or loses by the unit alone.
#
# Expected before it was run: the same log-likelihood for both units, in all three packages.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    glmm==0.6.2 interlace-lme==0.3.2 lme-python==0.2.7 polars==2.1.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import glmm
import interlace
import lme_python
import numpy as np
import pandas as pd
import polars as pl

rng = np.random.default_rng(0)
n = 120
g, x, w = rng.integers(0, 12, n), rng.normal(size=n), np.where(rng.random(n) < 0.5, 1.0, 4.0)
columns = {"y": rng.normal(size=12)[g] + 0.7 * x + rng.normal(size=n) / np.sqrt(w), "x": x, "g": g}
table, frame = pd.DataFrame(columns), pl.DataFrame(columns)

found = {}
for unit in (1.0, 10.0):
    v = unit * w
    found[unit] = np.array([glmm.fit(table, "y ~ x + (1|g)", weights=v).loglik,
                            interlace.fit("y ~ x", table, groups="g", weights=v).llf,
                            lme_python.lmer_weighted("y ~ x + (1|g)", frame, True, v.tolist()).log_likelihood])
    print(f"weights x {unit:4}: glmm %.3f, interlace %.3f, lme-python %.3f" % tuple(found[unit]))
moved = found[1.0] - found[10.0]
missing = found[1.0][:1] - found[1.0]
print("moved by", moved.round(3), "- n log(10) / 2 =", round(n * np.log(10) / 2, 3))
print("missing at weights x 1:", missing.round(3), "- sum(log w) / 2 =", round(np.log(w).sum() / 2, 3))
if np.abs(moved[:1]).max() > 0.01 or np.abs(moved[1:] - n * np.log(10) / 2).max() > 0.01:
    raise SystemExit("CHANGED: the likelihoods move otherwise")
if np.abs(missing - np.array([0, 1, 1]) * np.log(w).sum() / 2).max() > 0.01:
    raise SystemExit("CHANGED: what is missing is no longer sum(log w) / 2")
print("as stated: two of three packages leave the weights' own term out")
PY
