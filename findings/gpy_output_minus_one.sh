#!/usr/bin/env bash
# GPy 1.15: the output -1, pandas' code of a group that is missing or unknown, is predicted, as something of no output.
#
# Multi-output Gaussian processes of GPy take the output as the last column of X. Codes beyond the last output raise an error;
# -1, which `Series.cat.codes` gives for a gap or a group not seen in training, is answered: neither with one of the
# outputs nor with their mean, but with a number outside the range of all targets. 0.9 is taken for output 0.
#
# Expected before it was run: an error for every output that was not trained.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check GPy==1.15.0 numpy==2.4.6 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
import warnings

import GPy
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = [rng.uniform(size=(20, 1)) for _ in range(2)]
Y = [np.sin(6 * x) + 5 * k for k, x in enumerate(X)]
kernel = GPy.util.multioutput.ICM(input_dim=1, num_outputs=2, kernel=GPy.kern.RBF(1))
model = GPy.models.GPCoregionalizedRegression(X, Y, kernel=kernel)
model.optimize()

schools = pd.Categorical(["a", "b", "new"], categories=["a", "b"])
print("codes of the schools a, b, new:", schools.codes)


def predict(output):
    row = np.array([[0.5, output]])
    meta = {"output_index": row[:, 1:].astype(int)}
    return float(model.predict(row, Y_metadata=meta)[0].item())


known = [predict(0), predict(1)]
print("targets between", np.min(Y[0]).round(1), "and", np.max(Y[1]).round(1))
print("predicted for a and b:", np.round(known, 2))
try:
    unknown = predict(int(schools.codes[2]))
except (IndexError, ValueError) as error:
    raise SystemExit(f"CHANGED: output -1 is refused: {error}") from None
print("predicted for new:", round(unknown, 2))
try:
    predict(2)
    raise SystemExit("CHANGED: output 2 is predicted")
except IndexError as error:
    print("output 2:", error)
if np.min(Y[0]) <= unknown <= np.max(Y[1]):
    raise SystemExit("CHANGED: the prediction for output -1 lies among the targets")
print("as stated: an unknown group has a prediction, outside all targets")
PY
