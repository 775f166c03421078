#!/usr/bin/env bash
# dlordinal 2.7.0: where the rows that are judged lack a class, errors are counted over the gap, and the least sensitivity is 0.
#
# Of classes 0, 1, 3 and predictions 0, 3, 1, 3 two are off by two. accuracy_off1 is 1.0 and amae 0.5 (by hand 0.5 and 1.0),
# for they number the classes that they meet. Rows predicted as the class that is missing are left out of accuracy_off1, and
# one of them takes minimum_sensitivity, which has no labels, to 0. With labels=[0, 1, 2, 3] accuracy_off1 is right.
#
# Expected before it was run: classes are their numbers, and those without rows have no say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    dlordinal==2.7.0 torch==2.14.1 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from dlordinal.metrics import accuracy_off1, amae, minimum_sensitivity


def judged(true, predicted):
    true, predicted = np.array(true), np.array(predicted)
    off = np.abs(true - predicted)
    by_class = [(predicted[true == k] == k).mean() for k in np.unique(true)]
    mean_errors = [off[true == k].mean() for k in np.unique(true)]
    found = accuracy_off1(true, predicted), accuracy_off1(true, predicted, labels=[0, 1, 2, 3])
    right, least = (off <= 1).mean(), minimum_sensitivity(true, predicted)
    print(f"classes {true}, predicted {predicted}: accuracy_off1 {found[0]:.2f}, with labels {found[1]:.2f}, by hand {right:.2f};", end=" ")
    print(f"amae {amae(true, predicted):.2f}, by hand {np.mean(mean_errors):.2f};", end=" ")
    print(f"minimum_sensitivity {least:.2f}, by hand {min(by_class):.2f}")
    if abs(found[1] - right) > 1e-12:
        raise SystemExit("CHANGED: accuracy_off1 with labels")
    return [found[0], right], [amae(true, predicted), np.mean(mean_errors)], [least, min(by_class)]


near, mean, _ = judged([0, 1, 3, 3], [0, 3, 1, 3])
if near != [1.0, 0.5] or mean != [0.5, 1.0]:
    raise SystemExit("CHANGED: errors over a class without rows")
near, _, least = judged([0, 1, 1, 3, 3, 0], [0, 1, 1, 3, 2, 2])
if near[0] != 1.0 or abs(near[1] - 5 / 6) > 1e-12:
    raise SystemExit("CHANGED: rows predicted as a class without rows")
if least != [0.0, 0.5]:
    raise SystemExit("CHANGED: the least sensitivity")
for found, by_hand in judged([0, 1, 2, 3, 3], [0, 2, 2, 3, 1]):
    if abs(found - by_hand) > 1e-12:
        raise SystemExit("CHANGED: with rows of every class")
print("as stated: a class without rows changes the judgement of the others")
PY
