#!/usr/bin/env bash
# dask 2026.8 (pandas 2.3): groupby on a categorical column of several partitions gives NaN where text gives numbers.
#
# cumsum is NaN in every row of a group whose first row is not in the first partition. median and apply give each group
# once for every output partition, with NaN for those that lie elsewhere. The same groups as text are right, as is
# observed=True, which is what the default of pandas 3 will be; mean, sum and var are right either way. pandas says only
# that the default of observed will change.
#
# Expected before it was run: the numbers of pandas; unused categories at most as rows of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    "dask[dataframe]==2026.8.0" pandas==2.3.3 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PY'
import warnings

import dask
import dask.dataframe as dd
import pandas as pd

warnings.simplefilter("ignore", FutureWarning)
dask.config.set(scheduler="sync")
rows = pd.DataFrame({"site": list("aabbccaabbcc"), "x": range(1, 13)})
found = {}
for name, kind in (("text", "object"), ("category", "category")):
    frame = dd.from_pandas(rows.assign(site=rows["site"].astype(kind)), npartitions=3)
    running = frame.groupby("site")["x"].cumsum().compute().sort_index()
    median = frame.groupby("site")["x"].median().compute()
    shown = [(str(group), float(value)) for group, value in median.items()]
    found[name] = running, median
    print(f"{name:8} cumsum {running.tolist()}\n         median {shown}")
    mean = frame.groupby("site")["x"].mean().compute()
    if mean.to_dict() != rows.groupby("site")["x"].mean().to_dict():
        raise SystemExit("CHANGED: the mean is wrong too")
observed = frame.groupby("site", observed=True)["x"].median().compute()
truth = rows.groupby("site")["x"]
if found["text"][0].tolist() != truth.cumsum().tolist() or observed.to_dict() != truth.median().to_dict():
    raise SystemExit("CHANGED: text, or observed=True, is wrong")
running, median = found["category"]
if running.isna().sum() == 0 or len(median) == 3 or median.isna().sum() == 0:
    raise SystemExit("CHANGED: categories give the numbers of pandas")
print("as stated: of a categorical column", int(running.isna().sum()), "running sums are lost and groups come several times")
PY
