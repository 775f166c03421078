#!/usr/bin/env bash
# scikit-learn 1.9.1: GroupKFold(shuffle=True) does not balance folds, though its documentation says that this one does.
#
# "The folds are approximately balanced in the sense that the number of samples is approximately the same in each test
# fold when `shuffle` is True." It is the other way round: without shuffling 36 small and 4 large groups give four folds
# of 90 rows; shuffled, folds of 50 to 170. Only the numbers of groups are even then.
#
# Expected before it was run: shuffling changes which groups meet, and keeps folds of about one size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import numpy as np
from sklearn.model_selection import GroupKFold

groups = np.repeat(np.arange(40), [5] * 36 + [45] * 4)


def sizes(**how):
    folds = [test for _, test in GroupKFold(4, **how).split(groups, groups=groups)]
    return sorted(map(len, folds)), [len(np.unique(groups[test])) for test in folds]


even, _ = sizes()
print("rows of the folds:", even)
shuffled = []
for seed in range(10):
    rows, of_groups = sizes(shuffle=True, random_state=seed)
    shuffled.append(rows)
    print("shuffled:", rows, "- groups:", of_groups)
    if of_groups != [10] * 4:
        raise SystemExit("CHANGED: the numbers of groups are not even")
said = " ".join(GroupKFold.__doc__.split())
if "approximately the same in each test fold when `shuffle` is True" not in said:
    raise SystemExit("CHANGED: the documentation")
if even != [90] * 4 or max(map(max, shuffled)) < 150 or sum(rows != even for rows in shuffled) < 5:
    raise SystemExit("CHANGED: the sizes of the folds")
print("as stated: shuffled folds are balanced in groups, not in rows")
PY
