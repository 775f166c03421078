"""Draw the pictures of docs/gallery.md: `python tools/make_gallery.py` writes docs/images/*.png."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from polytask import (
    DirtyTasksRegressor,
    MeanRegularizedRegressor,
    SingleTaskRegressor,
    TaskClustersRegressor,
)
from polytask.datasets import (
    load_exam,
    make_clustered_tasks,
    make_related_tasks,
    make_sparse_tasks,
)
from polytask.inspection import (
    NewTasks,
    TaskLearningCurve,
    TaskRelatedness,
    cluster_stability,
    compare_tasks,
)
from polytask.inspection.displays import (
    CoefficientPatternDisplay,
    CoefficientSpreadDisplay,
    LeaderboardDisplay,
    NewTasksDisplay,
    ShrinkageDisplay,
    ShrinkagePathDisplay,
    TaskGainDisplay,
    TaskLearningCurveDisplay,
    TaskPairsDisplay,
    TaskRelatednessDisplay,
)

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def save(display: Any, name: str) -> None:
    """Draw on a new figure and save it, white behind, small."""
    figure = display.plot().figure_
    path = IMAGES / f"gallery_{name}.png"
    figure.savefig(path, dpi=110, facecolor="white", transparent=False, metadata={"Software": None})
    plt.close(figure)
    print(f"{path.name}: {path.stat().st_size // 1024} kB")


def main() -> None:
    """Every display once."""
    exam = load_exam()
    X, y = exam[["standLRT", "schavg", "school"]], exam["normexam"]
    names = dict.fromkeys(["single-task", "pooled", "task-intercept", "mean-regularized"])
    found = compare_tasks(names, X, y, task="school")
    save(TaskGainDisplay.from_results(found), "gain")
    save(LeaderboardDisplay.from_results(found), "leaderboard")
    curve = TaskLearningCurve.from_data(None, X, y, task="school", n_repeats=4)
    save(TaskLearningCurveDisplay.from_results(curve), "learning_curve")
    new = NewTasks.from_data(None, X, y, task="school", n_support=(0, 2, 5, 20))
    save(NewTasksDisplay.from_results(new), "new_tasks")

    X, y, _ = make_clustered_tasks(30, 8, 30, random_state=2)
    save(TaskRelatednessDisplay(TaskRelatedness.from_data(X, y, task="task")), "relatedness")
    X, y, _ = make_related_tasks(40, 6, 15, deviation=0.5, random_state=0)
    single = SingleTaskRegressor(task="task").fit(X, y)
    joint = MeanRegularizedRegressor(task="task").fit(X, y)
    reml = MeanRegularizedRegressor(task="task", alpha="reml").fit(X, y)
    save(ShrinkageDisplay.from_estimators(single, joint), "shrinkage")
    save(ShrinkagePathDisplay.from_estimator(joint, X, y), "shrinkage_path")
    save(CoefficientSpreadDisplay.from_estimator(reml), "coefficient_spread")
    patterns()


def patterns() -> None:
    """What formulations with norms found."""
    X, y, _ = make_sparse_tasks(10, 12, 80, n_shared=3, n_own=1, random_state=0)
    dirty = DirtyTasksRegressor(0.1, alpha_own=0.015, task="task").fit(X, y)
    save(CoefficientPatternDisplay.from_estimator(dirty), "coefficient_pattern")
    X, y, _ = make_clustered_tasks(12, 8, 15, n_clusters=3, noise=2.0, random_state=0)
    clusters = TaskClustersRegressor(0.1, n_clusters=3, alpha_ridge=0.001, task="task").fit(X, y)
    save(TaskPairsDisplay.from_results(cluster_stability(clusters, X, y)), "task_pairs")


if __name__ == "__main__":
    main()
