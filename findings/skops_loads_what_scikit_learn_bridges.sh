#!/usr/bin/env bash
# skops 0.16: `import skops.io` loads dask (or torch, cupy) where it is installed, and scikit-learn's test helpers.
#
# On import skops lists all estimators of scikit-learn. scikit-learn 1.9 makes that list by importing every package below
# it, among them bridges of the array API to dask, torch and cupy, each of which imports its framework if it can, and
# `sklearn.utils._testing`, which imports pytest if it can. A service that loads a linear model starts by seconds later on
# a machine that has torch than on one that has not; scikit-learn alone loads neither.
#
# Expected before it was run: skops loads scikit-learn, numpy and scipy, and what else the file at hand asks for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    skops==0.16.0 scikit-learn==1.9.1 "dask[array]==2026.8.0" pytest==9.0.2
"$folder/venv/bin/python" - <<'PY'
import sys

import sklearn.linear_model

before = {name: name in sys.modules for name in ("dask.array", "pytest")}
import skops.io

after = {name: name in sys.modules for name in ("dask.array", "pytest")}
print("loaded by scikit-learn:", before)
print("loaded by skops.io:", after)
if any(before.values()):
    raise SystemExit("CHANGED: scikit-learn loads them by itself")
if not all(after.values()):
    raise SystemExit("CHANGED: skops.io no longer loads them all")
print("as stated: a file format loads a framework that nobody named, because it is there")
PY
