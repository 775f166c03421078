#!/usr/bin/env bash
# onnxmltools 1.16.0: graphs of LightGBM forests, linear trees and others, and of XGBoost's Cox model, predict something else.
#
# Read over in silence: of LightGBM boosting_type="rf", linear_tree, zero_as_missing, reg_sqrt, multiclassova and sigmoid;
# of XGBoost the link of reg:logistic and of survival:cox. The graph of each is that of a plain model with the same
# splits, and errs by 2 to 3 where targets span 7. Plain, DART, Poisson, gamma and categorical models are right to 1e-4.
#
# Expected before it was run: the same predictions, or an error as for XGBoost's linear booster.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile onnxmltools==1.16.0 skl2onnx==1.20.0 \
    onnx==1.23.2 onnxruntime==1.32.0 xgboost==3.2.0 lightgbm==4.7.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import onnxruntime
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBRegressor

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
n = 400
group = rng.integers(0, 6, n)
x = np.column_stack([rng.normal(size=n), group]).astype(np.float32)
y = x[:, 0] + np.array([0.0, 3.0, -3.0, 2.0, -2.0, 1.0])[group] + 0.1 * rng.normal(size=n)
positive, share = np.exp(y / 3), 1 / (1 + np.exp(-y))
two, three = (y > 0).astype(int), np.digitize(y, [-1, 1])
some = {"n_estimators": 20, "verbose": -1}
forest = {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}
models = {
    "plain": (LGBMRegressor(**some), y), "categories": (LGBMRegressor(**some), y),
    "DART": (LGBMRegressor(boosting_type="dart", **some), y),
    "Poisson": (LGBMRegressor(objective="poisson", **some), positive), "two classes": (LGBMClassifier(**some), two),
    "three classes": (LGBMClassifier(**some), three), "xgboost": (XGBRegressor(n_estimators=20), y),
    "xgboost, gamma": (XGBRegressor(n_estimators=20, objective="reg:gamma"), positive),
    "forest": (LGBMRegressor(**forest, **some), y), "linear_tree": (LGBMRegressor(linear_tree=True, **some), y),
    "zero_as_missing": (LGBMRegressor(zero_as_missing=True, **some), y),
    "reg_sqrt": (LGBMRegressor(reg_sqrt=True, **some), y),
    "forest of classes": (LGBMClassifier(**forest, **some), two),
    "multiclassova": (LGBMClassifier(objective="multiclassova", **some), three),
    "sigmoid=3": (LGBMClassifier(sigmoid=3.0, **some), two),
    "xgboost, logistic": (XGBRegressor(n_estimators=20, objective="reg:logistic"), share),
    "xgboost, Cox": (XGBRegressor(n_estimators=20, objective="survival:cox"), positive),
}
error = {}
for name, (model, target) in models.items():
    model.fit(x, target, **({"categorical_feature": [1]} if name == "categories" else {}))
    convert = convert_xgboost if name.startswith("xgboost") else convert_lightgbm
    classes = hasattr(model, "classes_")
    options = {"zipmap": False} if classes else {}
    graph = convert(model, initial_types=[("x", FloatTensorType([None, 2]))], **options)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    answers = onnxruntime.InferenceSession(graph.SerializeToString(), quiet).run(None, {"x": x})
    expected = model.predict_proba(x) if classes else model.predict(x)
    error[name] = np.abs(answers[classes].reshape(expected.shape) - expected).max()
    print(f"{name:18} predictions {expected.min():6.2f} to {expected.max():6.2f}   largest error {error[name]:.1e}")
names = list(error)
right, wrong = names[: names.index("forest")], names[names.index("forest"):]
if max(error[name] for name in right) > 1e-4:
    raise SystemExit("CHANGED: plain models are wrong too")
kept = [name for name in wrong if error[name] < 0.1]
if kept:
    raise SystemExit(f"CHANGED: now right: {kept}")
print("as stated: these settings are lost")
PY
