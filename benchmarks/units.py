"""Default classifiers and regressors on columns in units of their own, with and without scaling.

    python benchmarks/units.py [--seeds 4] [--docs docs/models/index.md]

Ten tasks of 40 rows and six features, judged on 4,000 more rows. ``mixed`` has a year, incomes,
thousandths and hundreds, ``bytes`` one column in billions. Log loss of classifiers, squared error
of regressors.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pages import put

import polytask

TASKS, ROWS, FRESH = 10, 40, 400
UNITS = {
    "scaled": (np.ones(6), np.zeros(6)),
    "mixed": (np.array([1, 10, 1e4, 1e-3, 1e2, 1]), np.array([0, 2000, 3e4, 0, 50, 0])),
    "bytes": (np.array([1, 10, 1e9, 1e-3, 1e4, 1]), np.array([0, 2000, 3e9, 0, 5e4, 0])),
}
STEMS = ("Pooled", "TaskIntercept", "SingleTask", "MeanRegularized")
MARK = "<!-- figures of benchmarks/units.py -->"


def world(seed: int, labels: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features in standard units, tasks and targets: the rows to learn from first."""
    rng = np.random.default_rng(seed)
    task = np.tile(np.arange(TASKS), ROWS + FRESH)
    common = rng.normal(size=6) * [1, 1, 1, 0.7, 0.5, 0.3]
    W, Z = common + 0.3 * rng.normal(size=(TASKS, 6)), rng.normal(size=(len(task), 6))
    f = (Z * W[task]).sum(axis=1) + 0.3 * rng.normal(size=TASKS)[task]
    if labels:
        return Z, task, (rng.random(len(f)) < 1 / (1 + np.exp(-f))).astype(int)
    return Z, task, f + rng.normal(size=len(f))


def loss(stem: str, role: str, units: str, seed: int) -> float:
    """On the fresh rows."""
    Z, task, y = world(seed, role == "Classifier")
    unit, zero = UNITS[units]
    X = pd.DataFrame(Z * unit + zero).rename(columns=str).assign(task=task)
    n = TASKS * ROWS
    model = getattr(polytask, stem + role)(task="task")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:n], y[:n])
    if role == "Regressor":
        return float(np.mean((model.predict(X[n:]) - y[n:]) ** 2))
    p = np.clip(model.predict_proba(X[n:])[np.arange(len(y) - n), y[n:]], 1e-12, 1.0)
    return float(-np.log(p).mean())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    lines = [f"| defaults | {' | '.join(UNITS)} |", "|---|---|---|---|"]
    print("\n".join(lines))
    for role in ("Classifier", "Regressor"):
        for stem in STEMS:
            means = (np.mean([loss(stem, role, u, s) for s in range(asked.seeds)]) for u in UNITS)
            lines.append(f"| `{stem}{role}` | {' | '.join(f'{mean:.3f}' for mean in means)} |")
            print(lines[-1], flush=True)
    if asked.docs is not None:
        put(asked.docs, MARK, lines)


if __name__ == "__main__":
    main()
