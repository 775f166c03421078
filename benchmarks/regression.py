"""Whether a change made anything slower: the public estimators at two commits, taking turns.

    python benchmarks/regression.py --base 2392b45 --turns 5        # against the working tree
    python benchmarks/regression.py --base HEAD~1 --most 1.1        # exit 1 above this ratio

The base is checked out into a temporary work tree and run with this environment's packages. Each
work is done by a process per commit and turn, the two in turn; a process does it once to warm up,
then takes the least processor time of three. The ratio is that of the medians over turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROLOGUE = """
import json, sys, time, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
from polytask import *
from polytask.datasets import load_exam, make_related_tasks
def related(m, d, n, seed=0):
    X, y, _ = make_related_tasks(m, d, n, random_state=seed)
    return X, np.asarray(y)
def exam():
    table = load_exam().rename(columns={"school": "task"})
    return table[["standLRT", "schavg", "task"]], np.asarray(table["normexam"])
def least(work, times=3):
    work()
    found = []
    for _ in range(times):
        start = time.process_time(); work(); found.append(time.process_time() - start)
    return min(found)
"""

DATA = {
    "exam": "exam()",
    "small": "related(65, 5, 60)",
    "medium": "related(139, 28, 100)",
    "many": "related(1000, 10, 20)",
    "tall": "related(5, 20, 20000)",
    "wide": "related(20, 300, 30)",
    "few": "related(30, 5, 20)",
    "four rows": "related(2000, 5, 4)",
}
MODELS = {
    "one fit": 'MeanRegularizedRegressor(0.01, task="task").fit(X, y)',
    "tuned fit": 'MeanRegularizedRegressor(task="task").fit(X, y)',
    "tuned single-task": 'SingleTaskRegressor(task="task").fit(X, y)',
    "REML": 'MeanRegularizedRegressor("reml", task="task").fit(X, y)',
    "REML, full": 'MeanRegularizedRegressor("reml", covariance="full", task="task").fit(X, y)',
    "logistic fit": 'MeanRegularizedClassifier(0.01, task="task").fit(X, y > 0)',
    "tuned logistic": 'MeanRegularizedClassifier(task="task").fit(X, y > 0)',
    "logistic REML": 'MeanRegularizedClassifier("reml", task="task").fit(X, y > 0)',
    "trace norm": 'LowRankRegressor(0.01, task="task").fit(X, y)',
    "tuned trace norm": 'LowRankRegressor(task="task").fit(X, y)',
    "trace path of 30": 'low_rank_path(LowRankRegressor(task="task"), X, y, n_alphas=30)',
    "rank 5": 'LowRankRegressor(0.0, max_rank=5, task="task").fit(X, y)',
    "projected": ('ProjectedMeanRegularizedRegressor(0.01, n_components=3, task="task").fit(X, y)'),
    "Auto": 'AutoMultiTaskRegressor(task="task").fit(X, y)',
}
WORK = [
    *(("one fit", size) for size in ("small", "medium", "many", "tall", "wide")),
    *(("tuned fit", size) for size in ("exam", "small", "medium")),
    *(("trace norm", "medium"), ("tuned trace norm", "small"), ("trace path of 30", "small")),
    *(("rank 5", "medium"), ("projected", "medium"), ("Auto", "few")),
    *((model, "exam") for model in ("tuned single-task", "REML", "tuned logistic")),
    *(("REML, full", "small"), ("logistic fit", "small"), ("logistic REML", "exam")),
    ("tuned logistic", "four rows"),
]


def measure(source: Path, make: str, work: str) -> float:
    """Processor seconds of the work with the package at a source."""
    code = f"{PROLOGUE}\nX, y = {make}\nprint(json.dumps(least(lambda: {work})))\n"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Print a row a work; 1 where the head takes more than ``--most`` times the base."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="HEAD~1", help="commit to compare with")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--most", type=float, default=1.1, help="largest ratio that passes")
    parser.add_argument("--only", default="", help="works whose name holds this")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    options = parser.parse_args()
    rows, slow = [], False
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        git = ["git", "-C", str(ROOT), "worktree"]
        add = [*git, "add", "--detach", "-f", str(base), options.base]
        subprocess.run(add, check=True, capture_output=True)
        try:
            for model, size in WORK:
                name, ask = f"{model}, {size}", (DATA[size], MODELS[model])
                if options.only not in name:
                    continue
                turns = [
                    (measure(base / "src", *ask), measure(ROOT / "src", *ask))
                    for _ in range(options.turns)
                ]
                before, now = (statistics.median(times) for times in zip(*turns, strict=True))
                rows.append({"work": name, "base": before, "head": now, "ratio": now / before})
                slow |= now > options.most * before
                print(f"{name:28} {before:9.4f} s {now:9.4f} s {now / before:6.2f}", flush=True)
        finally:
            subprocess.run([*git, "remove", "--force", str(base)], check=False, capture_output=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
