"""Relatedness against worlds whose truth is known.

Printed per world and number of rows per task, means over the samples: the mean correlation and the
effective rank, estimated and true, how often their intervals held the truth; the number of groups
found in each sample; tasks that were called outliers, and of these the share of false ones.

Usage: python benchmarks/relatedness.py [--samples 12] [--tasks 30] [--features 10]
       [--world related] [--rows 8 20 80] [--seed 0]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from polytask.datasets import (
    Truth,
    make_clustered_tasks,
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
)
from polytask.inspection import TaskRelatedness
from polytask.inspection.related import effective_rank, spectrum_shares

WORLDS = {
    "related": make_related_tasks,
    "independent": make_independent_tasks,
    "three clusters": make_clustered_tasks,
    "two directions": make_low_rank_tasks,
    "30 % outliers": make_outlier_tasks,
}
ROWS = (8, 20, 80)


def true_values(truth: Truth, X: pd.DataFrame) -> tuple[float, float]:
    """Mean correlation and effective rank of the true predictions on the rows."""
    values, axes = np.linalg.eigh(np.cov(X.drop(columns="task"), rowvar=False))
    vectors = truth.coef @ (axes * np.sqrt(values)) @ axes.T
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    m = len(unit)
    correlation = ((unit @ unit.T).sum() - m) / (m * (m - 1))
    return float(correlation), effective_rank(spectrum_shares(vectors))


def measure(world: str, m: int, d: int, n: int, seed: int) -> dict[str, float]:
    """One sample."""
    options = {"n_outliers": round(0.3 * m)} if "outliers" in world else {}
    X, y, truth = WORLDS[world](m, d, n, random_state=seed, **options)
    found = TaskRelatedness.from_data(X, y, task="task")
    correlation, rank = true_values(truth, X)
    called = found.outliers["outlier"].to_numpy()
    real = truth.labels == 1 if "outliers" in world else np.zeros(m, dtype=bool)
    mean, directions = found.mean_correlation, found.effective_rank
    known = np.isfinite(directions.low)
    return {
        "correlation": mean.value,
        "true": correlation,
        "held": mean.low <= correlation <= mean.high,
        "rank": directions.value,
        "true rank": rank,
        "rank held": directions.low <= rank <= directions.high if known else np.nan,
        "groups": found.groups.count,
        "outliers found": (called & real).sum() / max(real.sum(), 1),
        "false outliers": (called & ~real).sum() / max(called.sum(), 1),
    }


def main() -> None:
    """Print a line per world and number of rows."""
    parser = argparse.ArgumentParser(description="Relatedness where the truth is known.")
    for name, default in (("samples", 12), ("tasks", 30), ("features", 10), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--world", nargs="*", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--rows", nargs="*", type=int, default=ROWS)
    given = parser.parse_args()
    for world in given.world:
        for n in given.rows:
            rows = [
                measure(world, given.tasks, given.features, n, seed)
                for seed in range(given.seed, given.seed + given.samples)
            ]
            frame = pd.DataFrame(rows)
            groups = ",".join(str(k) for k in frame.pop("groups"))
            values = ", ".join(f"{k} {v:.2f}" for k, v in frame.mean().items())
            print(f"{world}, {n} rows: {values}, groups {groups}", flush=True)


if __name__ == "__main__":
    main()
