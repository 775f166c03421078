#!/usr/bin/env bash
# scikit-survival 0.28.0: SurvivalTree with equal sample weights of 1/n has one split, with weights of 0.001 none.
#
# Equal weights of 1/2, 1 and 5 give one and the same tree, which no weights give too. From about 0.1 downwards splits
# disappear, in silence: weights that sum to 1, as a survey's or a boosting's often do, make a stump. Forests, which draw
# rows by their weights, and gradient boosting do not change with the unit of the weights.
#
# Expected before it was run: the unit of the weights does not matter, as in scikit-learn's trees.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    scikit-survival==0.28.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from sklearn.tree import DecisionTreeRegressor
from sksurv.ensemble import RandomSurvivalForest
from sksurv.metrics import concordance_index_censored
from sksurv.tree import SurvivalTree
from sksurv.util import Surv

rng = np.random.default_rng(0)
n = 200
x = rng.normal(size=(n, 2))
time, event = rng.exponential(np.exp(-x[:, 0])), rng.random(n) < 0.8
y = Surv.from_arrays(event, time)


def leaves(model, target, weight):
    model.fit(x, target, sample_weight=None if weight is None else np.full(n, weight))
    trees = getattr(model, "estimators_", [model])
    return sum((tree.tree_.feature < 0).sum() for tree in trees), model


found = {}
for weight in (None, 5.0, 1.0, 0.5, 0.1, 0.01, 1 / n, 0.001):
    survival, tree = leaves(SurvivalTree(max_depth=3, random_state=0), y, weight)
    forest, _ = leaves(RandomSurvivalForest(10, random_state=0), y, weight)
    squared, _ = leaves(DecisionTreeRegressor(max_depth=3, random_state=0), time, weight)
    concordance = concordance_index_censored(event, time, tree.predict(x))[0]
    found[weight] = [int(survival), int(forest), int(squared)]
    print(f"weight {weight}: leaves of SurvivalTree {survival} (concordance {concordance:.2f}), "
          f"of a forest {forest}, of scikit-learn's regression tree {squared}")
tree = [leaves[0] for leaves in found.values()]
if len({tuple(leaves[1:]) for weight, leaves in found.items() if weight}) > 1:
    raise SystemExit("CHANGED: the others move with the unit of the weights")
if tree[:4] != [8, 8, 8, 8] or tree[-2] > 2 or tree[-1] != 1:
    raise SystemExit("CHANGED: SurvivalTree no longer loses its splits")
print("as stated: the smaller the unit of the weights, the fewer the splits")
PY
