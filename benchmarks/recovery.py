"""How well formulations with norms find what was planted, as rows grow: one table.

    python benchmarks/recovery.py [--seeds 100,101,102] [--cases lasso,...] [--docs PAGE]

10 tasks; strengths are chosen inside by folds, nothing was tuned on these seeds. Supports, outlier
tasks and change points: F1, the harmonic mean of the share of what is named that was planted and
the share of what was planted that is named; clusters: adjusted Rand. Means over seeds; 1 is all
of it and nothing else.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness  # noqa: F401  sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
from pages import figures, put
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, f1_score

import polytask
from polytask import datasets

MARK = "<!-- figures of benchmarks/recovery.py -->"
ROWS = (15, 40, 100, 300)
TASKS, FEATURES = 10, 10
World = tuple[Any, Any, Any]


def shared(n: int, seed: int) -> World:
    return datasets.make_sparse_tasks(TASKS, FEATURES, n, n_shared=3, noise=1.0, random_state=seed)


def own(n: int, seed: int) -> World:
    return datasets.make_sparse_tasks(
        TASKS, FEATURES, n, n_shared=3, n_own=1, noise=1.0, random_state=seed
    )


def outliers(n: int, seed: int) -> World:
    return datasets.make_outlier_tasks(
        TASKS, FEATURES, n, n_outliers=2, deviation=0.1, noise=1.0, random_state=seed
    )


def clusters(n: int, seed: int) -> World:
    return datasets.make_clustered_tasks(
        TASKS, FEATURES, n, n_clusters=3, noise=2.0, random_state=seed
    )


def changes(n: int, seed: int) -> World:
    return datasets.make_changing_tasks(
        TASKS, FEATURES, n, n_changes=2, noise=1.0, random_state=seed
    )


def support(model: Any, truth: Any) -> float:
    return float(f1_score((truth.coef != 0).ravel(), (model.coef_ != 0).ravel()))


def odd_tasks(model: Any, truth: Any) -> float:
    named = np.isin(truth.tasks, model.outlier_tasks_)
    return float(f1_score(truth.labels == 1, named, zero_division=0.0))


def groups(model: Any, truth: Any) -> float:
    return float(adjusted_rand_score(truth.labels, model.clusters_))


def change_points(model: Any, truth: Any) -> float:
    named = np.isin(truth.tasks[1:], model.change_points_)
    return float(f1_score(np.diff(truth.labels) > 0, named, zero_division=0.0))


Judge = Callable[[Any, Any], float]
CASES: tuple[tuple[str, str, Callable[[int, int], World], str, Judge, dict[str, Any]], ...] = (
    ("lasso", "LassoTasks", own, "support", support, {}),
    ("joint features", "JointFeatures", shared, "support", support, {}),
    ("calibrated features", "CalibratedFeatures", shared, "support", support, {}),
    ("concave features", "ConcaveFeatures", shared, "support", support, {}),
    ("sparse group", "SparseGroup", own, "support", support, {}),
    ("dirty", "DirtyTasks", own, "support", support, {}),
    ("robust low-rank", "RobustLowRank", outliers, "outlier tasks", odd_tasks, {}),
    ("robust features", "RobustFeatures", outliers, "outlier tasks", odd_tasks, {}),
    ("task clusters", "TaskClusters", clusters, "clusters", groups, {"n_clusters": 3}),
    ("fused", "FusedTasks", changes, "change points", change_points, {}),
    ("concave fused", "ConcaveFused", changes, "change points", change_points, {}),
)


def found(stem: str, world: Callable[[int, int], World], judge: Judge, options: dict[str, Any],
          n: int, seeds: list[int]) -> float:  # fmt: skip
    """Mean over seeds of how well a formulation finds what its world has planted."""
    scores = []
    for seed in seeds:
        X, y, truth = world(n, seed)
        model = getattr(polytask, f"{stem}Regressor")(task="task", **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores.append(judge(model.fit(X, y), truth))
    return float(np.mean(scores))


def write(page: Path, lines: list[str]) -> None:
    """New lines between the page's markers; those of other formulations stay."""
    old = figures(page, MARK)
    rows = {line.split("|")[1].strip(): line for line in [*old[2:], *lines]}
    heads = " | ".join(f"{n} rows" for n in ROWS)
    table = [f"| formulation | found | {heads} |", "|---|---|" + "---|" * len(ROWS)]
    table += [rows[case[0]] for case in CASES if case[0] in rows]
    put(page, MARK, table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="100,101,102")
    parser.add_argument("--cases", default=",".join(case[0] for case in CASES))
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    seeds, wanted = [int(seed) for seed in asked.seeds.split(",")], asked.cases.split(",")
    lines = []
    for title, stem, world, what, judge, options in CASES:
        if title in wanted:
            scores = [found(stem, world, judge, options, n, seeds) for n in ROWS]
            lines.append(f"| {title} | {what} | " + " | ".join(f"{s:.2f}" for s in scores) + " |")
            print(lines[-1], flush=True)
            if asked.docs:
                write(asked.docs, lines)


if __name__ == "__main__":
    main()
