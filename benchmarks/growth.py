"""How time and memory of one mean-regularized fit grow with tasks, features and rows.

    python benchmarks/growth.py [--out docs/images/growth.svg] [--largest 1.0]

One number is raised and the others held. Every point is a process of its own: seconds from rows in
memory to coefficients, and the peak of its memory above what the rows take. The exponent is the
slope in logarithms over the last points, where a constant no longer counts. ``--largest`` below 1
leaves out points with more than that share of the numbers of the largest.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import harness  # sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
import timed_fits

POINTS = {  # m, d, n of every point
    "tasks": [(m, 20, 40) for m in (10, 100, 1000, 10_000, 100_000)],
    "features, n = 100": [(10, d, 100) for d in (5, 16, 50, 160, 500, 1600, 5000)],
    "rows": [(5, 20, n) for n in (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)],
}


def point(m: int, d: int, n: int) -> dict[str, float]:
    """Seconds and megabytes of a fit; the first of three pays what only a first one pays."""
    rng = np.random.default_rng(0)
    X, code = rng.standard_normal((m * n, d)), np.repeat(np.arange(m), n)
    data = timed_fits.task_data(X, X.sum(axis=1) + rng.standard_normal(m * n), code)
    alpha = 1.0 / (m * n)
    common = alpha if n * m < 2 * d or n < d else 0.0
    small = timed_fits.task_data(X[:n], data.y[:n], code[:n])
    timed_fits.fit(small, alpha, alpha)
    before = _peak()
    seconds = []
    for _ in range(3 if m * n * d < 2e7 else 1):
        begin = time.perf_counter()
        timed_fits.fit(data, alpha, common)
        seconds.append(time.perf_counter() - begin)
    return {"seconds": min(seconds), "megabytes": _peak() - before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def exponent(x: list[float], y: list[float]) -> float:
    """Slope of log y on log x over the last three points."""
    return float(np.polyfit(np.log(x[-3:]), np.log(np.maximum(y[-3:], 1e-9)), 1)[0])


def measure(largest: float) -> dict[str, list[dict[str, float]]]:
    results: dict[str, list[dict[str, float]]] = {}
    for name, points in POINTS.items():
        top = max(np.prod(p) for p in points)
        for p in points:
            if np.prod(p) > largest * top:
                continue
            done = subprocess.run(
                [sys.executable, __file__, "--point", *map(str, p)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found = dict(zip("mdn", p, strict=True)) | json.loads(done.stdout)
            results.setdefault(name, []).append(found)
    return results


def varied(name: str) -> str:
    return {"t": "m", "f": "d", "r": "n"}[name[0]]


def draw(results: dict[str, list[dict[str, float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
    for axis, (name, found) in zip(axes, results.items(), strict=True):
        x = [f[varied(name)] for f in found]
        axis.loglog(x, [f["seconds"] for f in found], "o-", color="#1f77b4", label="seconds")
        memory = [max(f["megabytes"], 0.1) / 1000 for f in found]
        axis.loglog(x, memory, "s--", color="#d95f02", label="peak memory above the rows, GB")
        axis.set_xlabel(name)
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--point", type=int, nargs=3, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--largest", type=float, default=1.0)
    asked = parser.parse_args()
    if asked.point:
        print(json.dumps(point(*asked.point)))
        return
    results = measure(asked.largest)
    rows: list[dict[str, object]] = []
    for name, found in results.items():
        x = [f[varied(name)] for f in found]
        for f in found:
            rows.append({"raised": name} | f)
        slopes = [exponent(x, [f[k] for f in found]) for k in ("seconds", "megabytes")]
        v = varied(name)
        print(f"{name}: time ~ {v}^{slopes[0]:.2f}, memory ~ {v}^{slopes[1]:.2f}")
    print("\n" + harness.table(rows))
    if asked.out:
        draw(results, asked.out)


if __name__ == "__main__":
    main()
