#!/usr/bin/env bash
# linearmodels 7.1: predict(data=...) builds the formula anew from the rows asked for.
#
# scale(x) and poly(x, 2) take their mean and polynomial from the new rows, and the levels of a text column are those
# that the new rows hold: as many levels as in training, but others, are read as the training levels in order of the
# alphabet, in silence. Fewer levels stop with a message about the number of columns. statsmodels and pyfixest keep
# the basis and the levels of the training rows for the same formula.
#
# Expected before it was run: a row is predicted alike alone and in the table, as formulaic, which linearmodels uses,
# keeps all that in its model_spec.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    linearmodels==7.1 formulaic==1.2.2 statsmodels==0.15.0 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from linearmodels.panel import PooledOLS
from statsmodels.formula.api import ols

rng = np.random.default_rng(0)
table = pd.DataFrame({"firm": np.repeat(np.arange(40), 10), "year": np.tile(np.arange(10), 40)})
table["x"], table["site"] = rng.uniform(5, 15, 400), rng.choice(["paris", "quito", "rome"], 400)
height = table["site"].map({"paris": 0.0, "quito": 10.0, "rome": 20.0})
table["y"] = 0.2 * (table["x"] - 10) ** 2 + height + 0.1 * rng.normal(size=400)
panel = table.set_index(["firm", "year"])


def both(formula, rows):
    fitted = PooledOLS.from_formula(formula, panel).fit()
    inside = fitted.fitted_values.iloc[:, 0].to_numpy()[: len(rows)]
    alone = fitted.predict(data=rows).iloc[:, 0].to_numpy()
    print(f"{formula:22} in the table {inside.round(2)}, alone {alone.round(2)}")
    return float(np.abs(inside - alone).max())


first = panel.iloc[:4]
scaled, bent = both("y ~ 1 + scale(x)", first), both("y ~ 1 + poly(x, 2)", first)
plain = both("y ~ 1 + x", first)
peer = ols("y ~ scale(x)", table).fit()
same = float(np.abs(peer.predict(table.iloc[:4]) - peer.fittedvalues[:4]).max())
sites = PooledOLS.from_formula("y ~ 1 + site", panel).fit()
other = panel.iloc[:3].assign(site=["quito", "rome", "sydney"])
read = sites.predict(data=other).iloc[:, 0].to_numpy()
print("true heights of quito and rome: 10 and 20; predicted for quito, rome, sydney:", read.round(1))
if plain > 1e-8 or same > 1e-8:
    raise SystemExit("CHANGED: a plain column, or statsmodels, moves too")
if scaled < 0.1 or bent < 1:
    raise SystemExit("CHANGED: the basis of the training rows is kept")
if read[0] > 5 or not 5 < read[1] < 15:  # quito as paris, rome as quito
    raise SystemExit("CHANGED: levels of new rows are read otherwise")
print("as stated: the formula is built anew from the rows asked for")
PY
