#!/usr/bin/env bash
# statsmodels 0.15.0: ConditionalLogit(missing="drop") takes the rows to drop out of the features and not out of the
# groups.
#
# y, x and groups keep their old row numbers while x loses the rows with gaps, so that every row after the first gap is
# paired with the x of a later one. Usually the last numbers no longer exist and an IndexError follows. But groups whose
# y does not vary leave the fit: if the last groups are such, nothing is raised, and the coefficient is that of shuffled
# data. GEE and MixedLM with missing="drop" are right.
#
# Expected before it was run: the fit of the rows without gaps.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    statsmodels==0.15.0 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import pandas as pd
from statsmodels.discrete.conditional_models import ConditionalLogit

warnings.simplefilter("ignore")  # groups without variation are left out, and said so
rng = np.random.default_rng(0)
groups = np.repeat(np.arange(100), 6)
x = rng.normal(size=600)
y = (rng.random(600) < 1 / (1 + np.exp(-2.0 * x - rng.normal(size=100)[groups]))).astype(int)
y[groups >= 95] = 0  # five clinics at the end without an event
table = pd.DataFrame({"y": y, "x": x, "group": groups})
table.loc[3, "x"] = np.nan


def fit(rows, **named):
    model = ConditionalLogit(rows["y"], rows[["x"]], groups=rows["group"], **named).fit(disp=0)
    return float(model.params["x"]), float(model.bse["x"])


whole, dropped = fit(table.dropna()), fit(table, missing="drop")
print("rows without the gap: %.3f, standard error %.3f" % whole)
print("missing='drop':       %.3f, standard error %.3f" % dropped)
try:
    fit(table[table["group"] < 90], missing="drop")
    raise SystemExit("CHANGED: no error where the last group varies")
except IndexError as error:
    print("without those clinics: IndexError,", error)
if not 1 < whole[0] < 3 or abs(dropped[0]) > 0.5:
    raise SystemExit("CHANGED: the rows that are dropped")
print("as stated: one gap, and the coefficient is gone")
PY
