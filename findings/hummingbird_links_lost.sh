#!/usr/bin/env bash
# hummingbird-ml 0.4.12: models of counts and amounts lose their logarithmic link, and three-class logistic models their softmax.
#
# Converted to torch, HistGradientBoostingRegressor(loss="poisson" or "gamma") of scikit-learn 1.9 and LightGBM 4.7's
# "poisson" and "gamma" predict the logarithm of what they predicted: counts down to -1. LightGBM's "tweedie" is right.
# LogisticRegression with three classes gives sigmoids made to sum to one, off by up to 0.48, and labels that agree.
# OneHotEncoder(drop="first") gives the dropped columns too, MinMaxScaler(clip=True) does not clip.
#
# Expected before it was run: the same predictions to single precision, or a refusal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    hummingbird-ml==0.4.12 torch==2.14.1 scikit-learn==1.9.1 lightgbm==4.7.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import warnings

import lightgbm
import numpy as np
from hummingbird.ml import convert
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, new = (scale * rng.normal(size=(n, 4)).astype(np.float32) for scale, n in ((1, 300), (1.5, 500)))
f = X @ np.array([1, 2, 0, -1]) / 2 + 0.3 * rng.normal(size=300)
y, three = np.exp(f), np.digitize(f, [-0.5, 0.5])
changed = []


def both(model):
    return model.predict(new), convert(model, "torch", X[:1]).predict(new).ravel()


for loss in ("poisson", "gamma"):
    trees = HistGradientBoostingRegressor(loss=loss, max_iter=20)
    boosted = lightgbm.LGBMRegressor(objective=loss, n_estimators=15, verbose=-1)
    for model in (trees, boosted):
        ours, converted = both(model.fit(X, y))
        print(f"{type(model).__name__} {loss}: predicted {ours[:3].round(2)}, converted {converted[:3].round(2)}")
        if np.abs(np.exp(converted) - ours).max() > 1e-4 or np.abs(converted - ours).max() < 0.5:
            changed.append(loss)
for model in (lightgbm.LGBMRegressor(objective="tweedie", n_estimators=15, verbose=-1), PoissonRegressor()):
    ours, converted = both(model.fit(X, y))
    print(f"{type(model).__name__}, right: apart {np.abs(ours - converted).max():.1g}")
    if np.abs(ours - converted).max() > 1e-4:
        changed.append(type(model).__name__)
model = LogisticRegression().fit(X, three)
graph = convert(model, "torch", X[:1])
ours, converted, each = model.predict_proba(new), graph.predict_proba(new), expit(model.decision_function(new))
print(f"three classes: {ours[0].round(2)}, converted {converted[0].round(2)}, apart {np.abs(ours - converted).max():.2f}")
if np.abs(converted - each / each.sum(axis=1, keepdims=True)).max() > 1e-5 or np.abs(ours - converted).max() < 0.2:
    changed.append("three classes")
codes = rng.integers(0, 4, (300, 2))
first = OneHotEncoder(drop="first", sparse_output=False).fit(codes)
shapes = first.transform(codes).shape[1], convert(first, "torch", codes[:1]).transform(codes).shape[1]
clip = MinMaxScaler(clip=True).fit(X)
top = clip.transform(new).max(), convert(clip, "torch", X[:1]).transform(new).max()
print(f"columns of drop='first': {shapes}; greatest value with clip=True: {top[0]:.2f}, {top[1]:.2f}")
if shapes != (6, 8) or top[1] < 1.1:
    changed.append("encoder or scaler")
if changed:
    raise SystemExit(f"CHANGED: {changed}")
print("as stated: converted models predict something else")
PY
