"""Variances by REML beside compiled packages of mixed models: processor time and likelihood.

    python benchmarks/reml_peers.py --peers ENV/bin/python [--turns 3] [--only "65 x 60"]
                                    [--keep LINES.json] [--docs docs/models/mean_regularized.md]

Correlated levels and slopes, y ~ 1 + x + (1 + x | task), on made-up tables; some have one design
in all tasks, the last labels. The interpreter of an environment with glmm 0.6.2, mixedlm 1.3.0 and
mixedlm-rs 0.2.0 of PyPI takes its turn after ours, one thread each. A process makes the table that
it takes (mixedlm-rs: arrays), fits it once, and then as often as one second allows: the median is
its time. Ours runs with numba, loaded before, and without.
Ratios are theirs over ours with numba, medians over turns; below 1 the peer is faster. The
restricted likelihood of everybody's covariance is computed by one function: in brackets stands the
deviance of the peer's less that of ours. Of labels, both approximate by Laplace, but maximize
another function (ours is restricted, theirs is not): there is time only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import harness  # noqa: F401, sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
from pages import put
from peers import reml_deviance

MARK = "<!-- figures of benchmarks/reml_peers.py -->"
SHARED, LABELS = "one design", "labels"  # rows that all tasks share, targets of zeros and ones
# tasks, rows a task, slopes, and what else
TABLES = (
    (65, 60, 1, ""), (65, 60, 3, ""), (65, 60, 8, ""), (1000, 50, 1, ""), (1000, 50, 3, ""),
    (1000, 50, 8, ""), (10_000, 20, 1, ""), (10_000, 20, 3, ""), (1000, 1000, 1, ""),
    (10_000, 8, 1, SHARED), (20_000, 8, 1, SHARED), (65, 60, 1, LABELS), (65, 60, 3, LABELS),
    (1000, 50, 1, LABELS), (1000, 50, 3, LABELS), (10_000, 20, 1, LABELS),
)  # fmt: skip
READ = """
import json, sys, time, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
held = np.load(sys.argv[1]); X, y, code = held["X"], held["y"], held["code"]
names = [f"x{j}" for j in range(X.shape[1])]
table = pd.DataFrame(X, columns=names).assign(task=code, y=y)
rows, plus = np.column_stack([X, np.ones(len(y))]), " + ".join(names)
"""
TIME = """
m, seconds, begun = fit(), [], time.process_time()
while not seconds or (len(seconds) < 50 and time.process_time() - begun < 1.0):
    start = time.process_time(); m = fit(); seconds.append(time.process_time() - start)
"""
TELL = """
print(json.dumps([float(np.median(seconds)), np.asarray(covariance).tolist(), float(noise)]))
"""
# How each fits, and its covariance of slopes and then the level
FITS = {
    "polytask": (
        """
from polytask import MeanRegularizedRegressor
model = MeanRegularizedRegressor("reml", covariance="full", task="task", alpha_common=0)
features, target = table[[*names, "task"]], table["y"]
fit = lambda: model.fit(features, target)
""",
        "covariance, noise = m.deviation_covariance_, m.noise_variance_",
    ),
    "mixedlm-rs": (
        """
import mixedlm_rs
fit = lambda: mixedlm_rs.MixedLM(y, rows, groups=code, exog_re=rows).fit(reml=True)
""",
        "covariance, noise = np.asarray(m.cov_re), m.scale",
    ),
    "glmm": (
        """
import glmm
formula = f"y ~ {plus} + (1 + {plus} | task)"
fit = lambda: glmm.fit(table, formula, satterthwaite=False)
""",
        """
p = X.shape[1] + 1; low = np.zeros((p, p)); low[np.triu_indices(p)] = m.varcorr[0]
full = low + np.triu(low, 1).T; order = [*range(1, p), 0]
covariance, noise = full[np.ix_(order, order)], m.dispersion
""",
    ),
    "mixedlm": (
        """
import mixedlm
formula = f"y ~ {plus} + (1 + {plus} | task)"
fit = lambda: mixedlm.lmer(formula, table)
""",
        """
p = X.shape[1] + 1; low = np.zeros((p, p)); rows_of = np.tril_indices(p)[::-1]
low[rows_of[0], rows_of[1]] = m.theta; root = low.T if np.allclose(low, np.triu(low)) else low
order = [*range(1, p), 0]; noise = m.sigma**2
covariance = noise * (root @ root.T)[np.ix_(order, order)]
""",
    ),
}


OURS = ("polytask", "by numpy")
PEERS = ("mixedlm-rs", "glmm", "mixedlm")
FITS["by numpy"] = FITS["polytask"]
FITS["polytask"] = ("import numba\n" + FITS["polytask"][0], FITS["polytask"][1])
FITS_OF_LABELS = {
    who: (
        fit.replace("Regressor", "Classifier").replace("satterthwaite=False", 'family="binomial"'),
        told.replace("m.noise_variance_", "1.0").replace("m.dispersion", "1.0"),
    )
    for who, (fit, told) in FITS.items()
    if who in (*OURS, "glmm")
}


def make(m: int, n: int, d: int, also: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of m tasks with correlated levels and slopes."""
    rng = np.random.default_rng(0)
    code, shared = np.repeat(np.arange(m), n), also == SHARED
    X = np.tile(rng.normal(size=(n, d)), (m, 1)) if shared else rng.normal(size=(m * n, d))
    U = rng.normal(size=(m, d + 1)) @ (0.3 * rng.normal(size=(d + 1, d + 1)))
    f = X.sum(axis=1) + U[code, d] + (X * U[code, :d]).sum(axis=1)
    if also == LABELS:
        return X, (rng.random(len(f)) < 1.0 / (1.0 + np.exp(0.5 - f))).astype(int), code
    return X, 1.0 + f + rng.normal(size=len(f)), code


def _titled() -> list[tuple[int, int, int, str, str]]:
    """The tables and their titles."""
    return [
        (m, n, d, also, f"{m:,} x {n:,}, {d} slopes" + (f", {also}" if also else ""))
        for m, n, d, also in TABLES
    ]


def measure(who: str, python: str, file: Path, fits: dict[str, tuple[str, str]]) -> Any:
    """Seconds, covariance and noise that a process tells, or None where it fails."""
    one = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    if who not in OURS:
        one.pop("PYTHONPATH", None)
    if who == "by numpy":
        one["POLYTASK_NUMPY_ONLY"] = "1"
    fit, told = fits[who]
    code = READ + fit + TIME + told + TELL
    done = subprocess.run([python, "-c", code, str(file)], env=one, capture_output=True, text=True)
    if done.returncode:
        print(who, done.stderr[-400:], file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def row(title: str, seen: dict[str, list[Any]]) -> str:
    """A row of the table, of what every contestant told in every turn."""
    ours, plain = (np.median([found[0] for found in seen[who]]) for who in OURS)
    cells = [title, f"{1e3 * ours:.3g}", f"{1e3 * plain:.3g}"]
    for who in PEERS:
        known = [found for found in seen.get(who, []) if found is not None]
        if not known:
            cells.append("failed" if who in seen else "")
            continue
        cells.append(f"{np.median([found[0] for found in known]) / ours:.2g}")
        if len(known[0]) > 3:
            cells[-1] += f" ({known[0][3] - seen['polytask'][0][3]:+.0e})"
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """All tables, contestants in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", required=True, help="interpreter of the peers' environment")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", default="", help="tables whose title holds this")
    parser.add_argument("--keep", type=Path, help="file of lines, of this and of earlier runs")
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    there = asked.keep is not None and asked.keep.exists()
    lines: dict[str, str] = json.loads(asked.keep.read_text("utf-8")) if there else {}
    for m, n, d, also, title in _titled():
        if asked.only not in title:
            continue
        X, y, code = make(m, n, d, also)
        fits = FITS_OF_LABELS if also == LABELS else FITS
        rows = np.column_stack([X, np.ones(len(y))])
        seen: dict[str, list[Any]] = {who: [] for who in (*OURS, *PEERS) if who in fits}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.npz"
            np.savez(file, X=X, y=y, code=code)
            for _ in range(asked.turns):
                for who, found in seen.items():
                    python = sys.executable if who in OURS else asked.peers
                    found.append(measure(who, python, file, fits))
                    if found[-1] is not None and also != LABELS:
                        _, covariance, noise = found[-1]
                        found[-1].append(reml_deviance(rows, y, code, np.array(covariance), noise))
        lines[title] = row(title, seen)
        print(lines[title], flush=True)
        if asked.keep:
            asked.keep.write_text(json.dumps(lines, indent=1), encoding="utf-8")
    if asked.docs:
        head = "| tasks x rows | polytask[fast], ms | polytask, ms | mixedlm-rs | glmm | mixedlm |"
        known = [lines[title] for *_, title in _titled() if title in lines]
        put(asked.docs, MARK, [head, "|---|---|---|---|---|---|", *known])


if __name__ == "__main__":
    main()
