#!/usr/bin/env bash
# category-encoders 2.11: contrasts of ordered levels follow the order in which the rows come, for numbers too.
#
# PolynomialEncoder, BackwardDifferenceEncoder and HelmertEncoder number the levels by first appearance: doses 20, 10, 40
# get the linear contrast 20 < 10 < 40. Shuffled rows give other columns, and a penalized model other predictions. patsy
# and formulaic sort levels; only a pandas category brings its own order into these encoders.
#
# Expected before it was run: numbers in their order, as in every package for model formulas.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    category-encoders==2.11.2 formulaic==1.2.2 scikit-learn==1.9.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import pandas as pd
from category_encoders import BackwardDifferenceEncoder, HelmertEncoder, PolynomialEncoder
from formulaic import model_matrix
from sklearn.linear_model import Lasso

doses = pd.DataFrame({"dose": [20, 10, 40, 30] * 25})
other = doses.sort_values("dose", ignore_index=True)
levels = pd.DataFrame({"dose": [10, 20, 30, 40]})
changed = []
for kind in (PolynomialEncoder, BackwardDifferenceEncoder, HelmertEncoder):
    first, second = (kind(cols=["dose"]).fit(rows).transform(levels).to_numpy() for rows in (doses, other))
    print(f"{kind.__name__:26} first column of 10, 20, 30, 40: {first[:, 0].round(2)}, rows sorted: {second[:, 0].round(2)}")
    changed.append(not np.allclose(first, second))
linear = model_matrix("C(dose, contr.poly)", doses).model_spec.get_model_matrix(levels).iloc[:, 1].to_numpy()
print(f"formulaic, linear          {linear.round(2)}")
said = []
for rows in (doses, other):
    encoder = PolynomialEncoder(cols=["dose"]).fit(rows)
    model = Lasso(alpha=1.0).fit(encoder.transform(rows), rows["dose"])
    said.append(model.predict(encoder.transform(levels)))
    print("lasso of the dose itself predicts for 10, 20, 30, 40:", said[-1].round(1))
ordered = doses.astype(pd.CategoricalDtype([10, 20, 30, 40], ordered=True))
rising = PolynomialEncoder(cols=["dose"]).fit(ordered).transform(ordered.iloc[[1, 0, 3, 2]]).iloc[:, 0].to_numpy()
if not (np.diff(linear) > 0).all() or not (np.diff(rising) > 0).all():
    raise SystemExit("CHANGED: formulaic, or a category with an order")
if not all(changed) or np.abs(said[0] - said[1]).max() < 0.5:
    raise SystemExit("CHANGED: the order of rows no longer matters")
print("as stated: the same doses in another order are another model")
PY
