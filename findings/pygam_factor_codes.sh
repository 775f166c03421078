#!/usr/bin/env bash
# pygam 0.12.0: a factor term f() depends on the numbers that stand for the categories.
#
# It cuts the range from the least to the greatest code into as many equal bins as there are categories. Codes 0, 1, 2,
# 3 and 0, 10, 20, 30 are right; with 0, 1, 2, 30 the first three categories share a bin, get one effect (-0.1 for 0, 2
# and -2), and the explained deviance falls from 0.999 to about 0.73. A code inside the range that training never had is
# given the effect of a neighbour (outside the range it is refused), and so is 1.5.
#
# Expected before it was run: the codes are names, and an unknown one is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    pygam==0.12.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from pygam import LinearGAM, f

rng = np.random.default_rng(0)
n = 400
group, effect = rng.integers(0, 4, n), np.array([0.0, 2.0, -2.0, 5.0])
y = effect[group] + 0.1 * rng.normal(size=n)
found = {}
for codes in ((0, 1, 2, 3), (0, 10, 20, 30), (0, 1, 2, 30)):
    values = np.array(codes, float)
    model = LinearGAM(f(0), lam=1e-3).fit(values[group][:, None], y)
    found[codes] = model.predict(values[:, None]), model.statistics_["pseudo_r2"]["explained_deviance"]
    print(f"codes {codes!s:16} effects {found[codes][0].round(2)}, explained {found[codes][1]:.3f}")
kept = group != 1
model = LinearGAM(f(0), lam=1e-3).fit(group[kept][:, None].astype(float), y[kept])
strange = model.predict(np.array([[1.0], [1.5], [2.4]])).round(2)
print("trained on 0, 2, 3 - asked for 1, 1.5 and 2.4:", strange)
try:
    model.predict(np.array([[4.0]]))
    raise SystemExit("CHANGED: a code outside the range is taken")
except ValueError as error:
    print("asked for 4: refused,", str(error)[:60])
right = [np.abs(found[codes][0] - effect).max() < 0.1 for codes in found]
if right != [True, True, False] or np.ptp(found[0, 1, 2, 30][0][:3]) > 1e-6 or found[0, 1, 2, 30][1] > 0.9:
    raise SystemExit("CHANGED: the effects by code")
if np.abs(strange - [-2, -2, 5]).max() > 0.1:
    raise SystemExit("CHANGED: codes between those of training")
print("as stated: codes that are not evenly spaced merge categories")
PY
