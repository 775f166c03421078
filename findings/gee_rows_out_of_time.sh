#!/usr/bin/env bash
# statsmodels 0.15.0: a GEE with an autoregressive correlation needs rows in order of time; the argument `time` does not order them.
#
# `time` says how far two rows are apart, but equations are solved as if neighbours in the table were neighbours in time. Groups
# whose rows are shuffled, each with its time, get another slope and an error half as large again. Least squares with the
# correlations of the given times have one answer for both orders. Nothing is said.
#
# Expected before it was run: with `time`, the order of the rows does not matter, as for Stationary() and Unstructured().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import statsmodels.api as sm

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
n_groups, n_times = 60, 6
group, time = np.repeat(np.arange(n_groups), n_times), np.tile(np.arange(n_times), n_groups)
n = len(group)
x = np.column_stack([np.ones(n), rng.normal(size=n)])
root = np.linalg.cholesky(0.7 ** np.abs(np.subtract.outer(np.arange(n_times), np.arange(n_times))))
y = x.sum(axis=1) + (root @ rng.normal(size=(n_times, n_groups))).T.ravel()
orders = {"in order of time": np.arange(n), "shuffled in groups": np.lexsort((rng.random(n), group))}


def by_hand(rows, rho):
    left, right = np.zeros((2, 2)), np.zeros(2)
    for each in range(n_groups):
        own = rows[group[rows] == each]
        weighted = np.linalg.solve(rho ** np.abs(np.subtract.outer(time[own], time[own])), x[own])
        left, right = left + x[own].T @ weighted, right + weighted.T @ y[own]
    return np.linalg.solve(left, right)[1]


found = {}
for order, rows in orders.items():
    asked = {"Autoregressive": sm.cov_struct.Autoregressive(grid=True),
             "Stationary": sm.cov_struct.Stationary(max_lag=n_times - 1)}
    for name, structure in asked.items():
        fit = sm.GEE(y[rows], x[rows], groups=group[rows], time=time[rows], cov_struct=structure).fit()
        found[name, order] = fit.params[1]
        print(f"{name:14} {order:18} slope {fit.params[1]:.4f}, error {fit.bse[1]:.4f}")
        if name == "Autoregressive":
            found["by hand", order] = by_hand(rows, 0.7)
            print(f"{'by hand':14} {order:18} slope {found['by hand', order]:.4f}")
apart = {name: abs(found[name, "in order of time"] - found[name, "shuffled in groups"])
         for name in ("Autoregressive", "Stationary", "by hand")}
if max(apart["Stationary"], apart["by hand"]) > 1e-8:
    raise SystemExit("CHANGED: the others depend on the order of the rows")
if apart["Autoregressive"] < 0.03:
    raise SystemExit("CHANGED: time orders the rows")
print("as stated: rows out of time give another slope, whatever `time` says")
PY
