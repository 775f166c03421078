#!/usr/bin/env bash
# lifelines 0.30.3: CoxPHFitter refuses a gap in a feature, but not one in the column of strata or of clusters.
#
# Rows whose stratum is missing leave the fit: the coefficients are those of the 140 other rows to the last digit, while
# summary and print count 200. Rows whose cluster is missing stay in the coefficients and fall out of the robust
# variance, so that the standard errors are smaller than with those rows as clusters of their own and than without those
# rows.
#
# Expected before it was run: "NaNs were detected in the dataset" in all three cases.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    lifelines==0.30.3
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

warnings.simplefilter("error", UserWarning)
rng = np.random.default_rng(0)
n = 200
x = rng.normal(size=(n, 2))
table = pd.DataFrame(x, columns=["a", "b"])
table["time"] = np.ceil(3 * rng.exponential(np.exp(-x[:, 0]))) + 2.0
table["event"] = (rng.random(n) < 0.7).astype(int)
missing = np.arange(n) < 60
stratum = pd.Series(rng.choice(list("xyz"), n)).mask(missing)
cluster = pd.Series(rng.integers(0, 20, n)).mask(missing)


def fit(rows, **named):
    return CoxPHFitter().fit(rows, "time", "event", **named)


try:
    fit(table.assign(a=table["a"].mask(missing)))
    raise SystemExit("CHANGED: a gap in a feature is accepted")
except TypeError as error:
    print("gap in a feature: refused,", str(error)[:35])
gaps, without = (fit(rows, strata=["s"]) for rows in (table.assign(s=stratum), table.assign(s=stratum)[~missing]))
print("strata with gaps:", gaps.params_.to_numpy().round(5), "rows it counts:", gaps._n_examples)
print("those rows out:  ", without.params_.to_numpy().round(5), "rows it counts:", without._n_examples)
errors = {"gaps": fit(table.assign(c=cluster), cluster_col="c"),
          "own clusters": fit(table.assign(c=cluster.fillna(pd.Series(1000 + np.arange(n)))), cluster_col="c"),
          "rows out": fit(table.assign(c=cluster)[~missing], cluster_col="c")}
for name, model in errors.items():
    print(f"clusters, {name:12}", model.params_.to_numpy().round(5), "standard errors",
          model.standard_errors_.to_numpy().round(5))
if (gaps.params_ - without.params_).abs().max() > 1e-9 or gaps._n_examples != 200:
    raise SystemExit("CHANGED: rows without a stratum")
small, own, out = (model.standard_errors_.to_numpy() for model in errors.values())
moved = (errors["gaps"].params_ - errors["own clusters"].params_).abs().max()
if not (small < np.minimum(own, out)).all() or moved > 1e-9:
    raise SystemExit("CHANGED: rows without a cluster")
print("as stated: rows vanish from the fit, or from the variance alone")
PY
