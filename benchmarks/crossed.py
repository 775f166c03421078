"""Two crossed groupings by REML, side by side with lme4: time in turn, peak memory, criterion.

    python benchmarks/crossed.py InstEval.csv [10]

The table is lme4's (write.csv(lme4::InstEval, "InstEval.csv")). With a factor, so many copies of it
are stacked, the students of each being others: ten times the rows and students, the same lecturers.
R with lme4 must be installed; both work in one thread, in processes of their own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

_R = """suppressMessages(library(lme4)); d <- read.csv("{path}")
t <- system.time(m <- lmer(y ~ 1 + (1 | s) + (1 | d), d))
cat(sprintf("lme4     %8.2f s user  %8.2f s elapsed  criterion %.5f\\n", t[["user.self"]],
            t[["elapsed"]], REMLcrit(m)))
cat(gsub(" kB", "", grep("VmHWM", readLines("/proc/self/status"), value = TRUE)), "kB\\n")"""


def stacked(path: str, copies: int) -> pd.DataFrame:
    """Copies of the table with students of their own, targets of copies drawn anew by rows."""
    table = pd.read_csv(path)[["s", "d", "y"]]
    random = np.random.default_rng(0)
    parts = [
        table.assign(s=table["s"] + 10_000 * k, d=random.permutation(table["d"].unique())[
            np.unique(table["d"], return_inverse=True)[1]
        ])
        for k in range(copies)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def ours(path: str) -> None:
    """One fit, in this process."""
    from polytask import MultilevelRegressor

    table = pd.read_csv(path)
    before, begun = time.process_time(), time.perf_counter()
    model = MultilevelRegressor(task=["s", "d"]).fit(table[["s", "d"]], table["y"])
    cpu, wall = time.process_time() - before, time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"polytask {cpu:8.2f} s user  {wall:8.2f} s elapsed  criterion {model.deviance_:.5f}")
    print(f"VmHWM:\t {peak:.0f} MB")


def main(path: str, copies: int) -> None:
    """Both, in turn, three times."""
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "rows.csv"
        stacked(path, copies).to_csv(csv, index=False)
        one = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        for _ in range(3 if copies == 1 else 1):
            subprocess.run([sys.executable, __file__, "--ours", str(csv)], check=True, env=one)
            subprocess.run(["Rscript", "-e", _R.format(path=csv)], check=True, env=one)


if __name__ == "__main__":
    if sys.argv[1] == "--ours":
        ours(sys.argv[2])
    else:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
