"""How well formulations with norms find what was planted, as rows grow: one table.

    python benchmarks/recovery.py [--seeds 100,101,102] [--cases lasso,...] [--docs PAGE]
    python benchmarks/recovery.py --cases "" --docs PAGE --draw docs/images

10 tasks; strengths are chosen inside by folds, nothing was tuned on these seeds; then all of them
are made three times as large, because a forecast wants more kept than was planted. Supports,
outlier tasks and change points: F1, the harmonic mean of the share of what is named that was
planted and the share of what was planted that is named; clusters: adjusted Rand; directions: the
smallest cosine between the planted space and the one found; relations: the correlation of learned
and planted correlations of tasks. Means over seeds; 1 is all of it and nothing else. ``--draw``
draws what stands in the page, a curve for each formulation.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import replace
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
TIMES = 3.0
CURVES = ("strengths that forecast best", "three times as large")
OWN_PAGES = {"lasso": ("lasso",), "joint_features": ("joint features",)}
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


def odd_beside_features(n: int, seed: int) -> World:
    """Three shared features, and two tasks in which all features matter."""
    X, y, truth = datasets.make_sparse_tasks(
        TASKS, FEATURES, n, n_shared=3, noise=1.0, random_state=seed
    )
    labels = np.isin(np.arange(TASKS), [2, 7]).astype(int)
    odd = np.random.default_rng(seed).normal(size=(TASKS, FEATURES)) * labels[:, None]
    X, y, truth = less(X, y, truth, -odd)
    return X, y, replace(truth, labels=labels)


def clusters(n: int, seed: int) -> World:
    return datasets.make_clustered_tasks(
        TASKS, FEATURES, n, n_clusters=3, noise=2.0, random_state=seed
    )


def changes(n: int, seed: int) -> World:
    return datasets.make_changing_tasks(
        TASKS, FEATURES, n, n_changes=2, noise=1.0, random_state=seed
    )


def branches(n: int, seed: int) -> World:
    """Tasks 0 to 4 and 5 to 9 share one feature of their own each, all share one more."""
    X, y, truth = datasets.make_sparse_tasks(
        TASKS, FEATURES, n, n_shared=3, noise=1.0, random_state=seed
    )
    gone = np.zeros((TASKS, FEATURES), dtype=bool)
    gone[5:, 1] = gone[:5, 2] = True
    return less(X, y, truth, truth.coef * gone)


def exceptions(n: int, seed: int) -> World:
    """One direction, and a coefficient beside it in three tasks."""
    X, y, truth = datasets.make_low_rank_tasks(
        TASKS, FEATURES, n, rank=1, noise=1.0, random_state=seed
    )
    odd = np.zeros((TASKS, FEATURES))
    odd[[1, 4, 7], [2, 5, 8]] = 2.0
    X, y, truth = less(X, y, truth, -odd)
    return X, y, replace(truth, coef=odd)  # which is what is judged


def drift(n: int, seed: int) -> World:
    """Three features whose coefficients go along the tasks as waves."""
    X, y, truth = datasets.make_sparse_tasks(
        TASKS, FEATURES, n, n_shared=3, noise=1.0, random_state=seed
    )
    W = np.zeros((TASKS, FEATURES))
    W[:, :3] = np.cos(np.arange(TASKS)[:, None] / 4 + np.arange(3))
    return less(X, y, truth, truth.coef - W)


def directions(n: int, seed: int) -> World:
    return datasets.make_low_rank_tasks(TASKS, FEATURES, n, rank=2, noise=1.0, random_state=seed)


def less(X: Any, y: Any, truth: Any, coef: np.ndarray) -> World:
    """The sample without these coefficients."""
    code = np.searchsorted(truth.tasks, X["task"])
    moved = (X.drop(columns="task").to_numpy() * coef[code]).sum(axis=1)
    return X, y - moved, replace(truth, coef=truth.coef - coef)


def support(model: Any, truth: Any) -> float:
    return float(f1_score((truth.coef != 0).ravel(), (model.coef_ != 0).ravel()))


def odd_entries(model: Any, truth: Any) -> float:
    return float(f1_score((truth.coef != 0).ravel(), model.support_.ravel(), zero_division=0.0))


def space(model: Any, truth: Any) -> float:
    found = np.atleast_2d(model.components_)
    if len(found) < len(truth.components):
        return 0.0
    return float(np.linalg.svd(found @ truth.components.T, compute_uv=False).min())


def relations(model: Any, truth: Any) -> float:
    planted = truth.coef @ truth.coef.T
    size = np.sqrt(planted.diagonal())
    pairs = np.triu_indices(len(size), 1)
    correlation = (planted / np.outer(size, size))[pairs]
    return float(np.corrcoef(correlation, model.task_correlation_[pairs])[0, 1])


def odd_tasks(model: Any, truth: Any) -> float:
    named = np.isin(truth.tasks, model.outlier_tasks_)
    return float(f1_score(truth.labels == 1, named, zero_division=0.0))


def oddest(model: Any, truth: Any) -> float:
    """The same of as many tasks as were planted, those named and then the next ones."""
    own = np.linalg.norm(model.own_coef_, axis=1)
    first = np.lexsort((model.outlier_scores_, own))[-int(truth.labels.sum()) :]
    return float(truth.labels[first].mean())


def groups(model: Any, truth: Any) -> float:
    return float(adjusted_rand_score(truth.labels, model.clusters_))


def change_points(model: Any, truth: Any) -> float:
    named = np.isin(truth.tasks[1:], model.change_points_)
    return float(f1_score(np.diff(truth.labels) > 0, named, zero_division=0.0))


TREE = [list(range(5)), list(range(5, 10))]  # places of tasks in their order
TRACE = 3.0  # about what one direction of ten tasks of unit variance has
Judge = Callable[[Any, Any], float]
CASES: tuple[tuple[str, str, Callable[[int, int], World], str, Judge, dict[str, Any]], ...] = (
    ("lasso", "LassoTasks", own, "support", support, {}),
    ("joint features", "JointFeatures", shared, "support", support, {}),
    ("calibrated features", "CalibratedFeatures", shared, "support", support, {}),
    ("concave features", "ConcaveFeatures", shared, "support", support, {}),
    ("sparse group", "SparseGroup", own, "support", support, {}),
    ("dirty", "DirtyTasks", own, "support", support, {}),
    ("tree-guided", "TreeGuided", branches, "support", support, {"tree": TREE}),
    ("robust low-rank", "RobustLowRank", outliers, "outlier tasks", odd_tasks, {}),
    ("robust low-rank (first two)", "RobustLowRank", outliers, "outlier tasks", oddest, {}),
    ("robust features (first two)", "RobustFeatures", odd_beside_features, "outlier tasks", oddest,
     {}),
    ("sparse + low-rank", "SparseLowRank", exceptions, "odd coefficients", odd_entries, {}),
    ("sparse + limited trace", "SparseLimitedTrace", exceptions, "odd coefficients", odd_entries,
     {"max_trace": TRACE}),
    ("temporal features", "TemporalFeatures", drift, "support", support, {}),
    ("task clusters", "TaskClusters", clusters, "clusters", groups, {"n_clusters": 3}),
    ("fused", "FusedTasks", changes, "change points", change_points, {}),
    ("concave fused", "ConcaveFused", changes, "change points", change_points, {}),
    ("shared subspace", "SharedSubspace", directions, "directions", space, {"n_components": 2}),
    ("task covariance", "TaskCovariance", clusters, "relations", relations, {}),
)  # fmt: skip


def found(stem: str, world: Callable[[int, int], World], judge: Judge, options: dict[str, Any],
          n: int, seeds: list[int]) -> tuple[float, float]:  # fmt: skip
    """Scores at the strengths that forecast best, and at three times those."""
    scores = []
    for seed in seeds:
        X, y, truth = world(n, seed)
        model = getattr(polytask, f"{stem}Regressor")(task="task", **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            chosen = judge(model.fit(X, y), truth)
            names = [one.name for one in model.strengths if one.name != "alpha_intercept"]
            model.set_params(**{name: TIMES * getattr(model, f"{name}_") for name in names})
            scores.append((chosen, judge(model.fit(X, y), truth)))
    first, second = np.mean(scores, axis=0)
    return float(first), float(second)


def draw(page: Path, folder: Path) -> None:
    """A curve for every formulation of the page's table, and a file for those with own pages."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "polytask"
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in figures(page, MARK)[2:]]
    for name, own in OWN_PAGES.items():
        curves(matplotlib, [row for row in rows if row[0] in own], folder / f"found_{name}.svg")
    curves(matplotlib, rows, folder / "found_norms.svg")


def curves(matplotlib: Any, rows: list[list[str]], file: Path) -> None:
    """Panels side by side, five in a line."""
    from matplotlib.figure import Figure

    wide = min(len(rows), 5)
    high = -(-len(rows) // wide)
    figure = Figure(figsize=(2.1 * wide + 0.5, 1.8 * high + 0.5), layout="constrained")
    panels = figure.subplots(high, wide, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, (title, what, *cells) in zip(panels, rows, strict=False):
        both = np.array([[float(part) for part in cell.split("/")] for cell in cells])
        for scores, marker, label in zip(both.T, "os", CURVES, strict=False):
            panel.plot(ROWS, scores, marker=marker, markersize=3, label=label)
        panel.set_title(f"{title}:\n{what}", fontsize=8)
        panel.set(xscale="log", ylim=(-0.05, 1.05), xticks=ROWS, xticklabels=map(str, ROWS))
        panel.minorticks_off()
        panel.tick_params(labelsize=7)
    for panel in panels[len(rows) :]:
        panel.set_axis_off()
    figure.supxlabel("rows per task", fontsize=8)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", fontsize=7)
    figure.savefig(file, metadata={"Date": None})


def write(page: Path, lines: list[str]) -> None:
    """New lines between the page's markers; those of other formulations stay."""
    old = figures(page, MARK)
    rows = {line.split("|")[1].strip(): line for line in [*old[2:], *lines] if "|" in line}
    heads = " | ".join(f"{n} rows" for n in ROWS)
    table = [f"| formulation | found | {heads} |", "|---|---|" + "---|" * len(ROWS)]
    table += [rows[case[0]] for case in CASES if case[0] in rows]
    put(page, MARK, table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="100,101,102")
    parser.add_argument("--cases", default=",".join(case[0] for case in CASES))
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--draw", type=Path)
    asked = parser.parse_args()
    if asked.draw and not asked.docs:
        parser.error("--draw draws what stands in a page; name it by --docs")
    seeds, wanted = [int(seed) for seed in asked.seeds.split(",")], asked.cases.split(",")
    lines = []
    for title, stem, world, what, judge, options in CASES:
        if title in wanted:
            scores = [found(stem, world, judge, options, n, seeds) for n in ROWS]
            cells = " | ".join(f"{s:.2f} / {t:.2f}" for s, t in scores)
            lines.append(f"| {title} | {what} | {cells} |")
            print(lines[-1], flush=True)
            if asked.docs:
                write(asked.docs, lines)
    if asked.draw:
        draw(asked.docs, asked.draw)


if __name__ == "__main__":
    main()
