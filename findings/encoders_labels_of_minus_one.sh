#!/usr/bin/env bash
# category-encoders 2.11.0: WOEEncoder and JamesSteinEncoder(model="binary") take labels -1 and 1, and answer NaN.
#
# Labels 1 and 2 are refused: "must be binary with values {0, 1}". Labels -1 and 1 pass; they are added up as if they were 0
# and 1, so that the weight of evidence of a group with more -1 than 1 is NaN and of the others wrong (3.61 for 1.53), and
# James-Stein is NaN for every group. Groups not seen are 0 as ever. GLMMEncoder refuses both.
#
# Expected before it was run: both pairs of labels are refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    category_encoders==2.11.0 scikit-learn==1.9.1 statsmodels==0.15.0 pandas==2.3.3 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import warnings

import category_encoders as ce
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = pd.DataFrame({"g": rng.choice(list("abc"), 400)})
y = (rng.uniform(size=400) < X["g"].map({"a": 0.2, "b": 0.5, "c": 0.8})).astype(int)
new = pd.DataFrame({"g": ["a", "b", "c", "unseen"]})
found = {}
for Encoder, how in ((ce.WOEEncoder, {}), (ce.JamesSteinEncoder, {"model": "binary"}), (ce.GLMMEncoder, {"binomial_target": True})):
    for labels in ((0, 1), (1, 2), (-1, 1)):
        target = y.map(dict(enumerate(labels)))
        try:
            values = Encoder(**how).fit(X, target).transform(new)["g"].to_numpy()
            said = values.round(2).tolist()
        except ValueError as error:
            values, said = None, f"refused: {str(error)[:70]}"
        print(f"{Encoder.__name__:18} labels {labels}: {said}")
        found[Encoder, labels] = values
for Encoder in (ce.WOEEncoder, ce.JamesSteinEncoder):
    right, strange = found[Encoder, (0, 1)], found[Encoder, (-1, 1)]
    if right is None or np.isnan(right).any() or found[Encoder, (1, 2)] is not None:
        raise SystemExit("CHANGED: labels 0 and 1, or 1 and 2")
    if strange is None or not np.isnan(strange[0]) or np.nanmax(np.abs(strange - right)[1:3], initial=1.0) < 0.5:
        raise SystemExit("CHANGED: labels -1 and 1")
if found[ce.GLMMEncoder, (1, 2)] is not None or found[ce.GLMMEncoder, (-1, 1)] is not None:
    raise SystemExit("CHANGED: GLMMEncoder")
print("as stated: labels -1 and 1 pass, and are not understood")
PY
