#!/usr/bin/env bash
# chimeraboost 0.34.0: with random_effects=True the unit of sample_weight decides how much groups are shrunk, and small
# weights switch the group intercepts off.
#
# The variance ratio is estimated with the sum of the weights as the number of rows. Weights of 1 and weights of 10 for
# every row are one and the same weighting, yet shrink differently; weights of 1 / n (sum 1) leave fewer "rows" than
# groups, and all intercepts are 0, without a warning: group_ratio_ is inf, which the docs call "no group signal was
# found".
#
# Expected before it was run: equal weights of any size give the unweighted fit, as they do in lme4, glmm and gpboost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    chimeraboost==0.34.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from chimeraboost import ChimeraBoostRegressor

rng = np.random.default_rng(0)
n, groups = 400, 40
g, x = rng.integers(0, groups, n), rng.normal(size=(n, 2))
y = x[:, 0] + 2.0 * rng.normal(size=groups)[g] + rng.normal(size=n)

found = {}
for name, weight in (("none", None), ("1", np.ones(n)), ("10", np.full(n, 10.0)), ("1/n", np.full(n, 1.0 / n))):
    model = ChimeraBoostRegressor(random_effects=True, n_estimators=50, early_stopping=False, random_state=0)
    model.fit(x, y, groups=g, sample_weight=weight)
    found[name] = model.group_ratio_, float(np.std(model.group_intercepts_))
    error = np.sqrt(np.mean((model.predict(x, groups=g) - y) ** 2))
    ratio, spread = found[name]
    print(f"weight {name:4}: ratio {ratio:.4f}, spread of the intercepts {spread:.4f}, error {error:.3f}")
if found["none"] != found["1"] or not 0.5 < found["1"][1] < 3:
    raise SystemExit("CHANGED: weights of 1 are not the unweighted fit")
if abs(found["10"][0] / found["1"][0] - 1) < 0.05 or found["1/n"] != (np.inf, 0.0):
    raise SystemExit("CHANGED: the unit of the weights no longer matters")
print("as stated: equal weights change the shrinkage, and those of 1/n remove the groups")
PY
