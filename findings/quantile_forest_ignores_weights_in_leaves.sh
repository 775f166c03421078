#!/usr/bin/env bash
# quantile-forest 1.4.2: sample_weight shapes the trees and is forgotten when quantiles are taken.
#
# RandomForestQuantileRegressor.fit takes sample_weight as scikit-learn's forest does. Rows of weight 0 still stand
# among the values of a leaf: in a forest of one leaf where only positive rows count, the least value is that of a row
# of weight 0 and the median is negative, while scikit-learn's forest predicts the mean of the positive rows. Weights of
# 10 change no quantile; ten copies of a row do.
#
# Expected before it was run: weighted quantiles, equal to those of repeated rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    quantile-forest==1.4.2 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from quantile_forest import RandomForestQuantileRegressor
from sklearn.ensemble import RandomForestRegressor

rng = np.random.default_rng(0)
n = 300
x, y = np.zeros((n, 1)), 1.5 * rng.normal(size=n)
one = {"n_estimators": 5, "bootstrap": False, "random_state": 0}


def quantiles(x, y, weight):
    model = RandomForestQuantileRegressor(max_samples_leaf=None, **one).fit(x, y, sample_weight=weight)
    return model.predict(x[:1], quantiles=[0.0, 0.5])[0]


zero = np.where(y > 0, 1.0, 0.0)
mean = RandomForestRegressor(**one).fit(x, y, sample_weight=zero).predict(x[:1])[0]
least, middle = quantiles(x, y, zero)
print(f"weight 0 for negative rows: forest's mean {mean:.3f}, least value {least:.3f}, median {middle:.3f}")
times = np.where(y > 0, 10, 1)
weighted, plain = quantiles(x, y, times.astype(float))[1], quantiles(x, y, None)[1]
copies = quantiles(np.repeat(x, times, axis=0), np.repeat(y, times), None)[1]
print(f"median: no weights {plain:.3f}, weight 10 for positive rows {weighted:.3f}, ten copies {copies:.3f}")
if abs(mean - y[y > 0].mean()) > 1e-9 or least != y.min() or middle >= 0:
    raise SystemExit("CHANGED: rows of weight 0 no longer count")
if weighted != plain or copies - plain < 0.5:
    raise SystemExit("CHANGED: weights work as copies do")
print("as stated: the quantiles of a leaf are unweighted")
PY
