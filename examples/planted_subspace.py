"""A planted subspace: how the learned directions and the rank approach the truth as rows grow.

Tasks are w_i = P a_i with P (d, 3) orthonormal. Shown against the rows of each task: the largest
principal angle between the true space and the learned one, and the rank that is found.

Run it: `python examples/planted_subspace.py` writes `planted_subspace.png` and prints the numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.linalg import subspace_angles

from polytask import (
    LowRankRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedRegressor,
)
from polytask.datasets import make_low_rank_tasks

ROWS = (6, 12, 25, 50, 100)
RANK, TASKS, FEATURES, NOISE = 3, 30, 12, 0.5
MODELS = {
    "trace norm, first 3 directions": lambda: ProjectedLowRankRegressor(
        alpha=0.01, n_components=RANK, alpha_intercept=10.0, task="task"
    ),
    "P, w0 + ΔW": lambda: ProjectedMeanRegularizedRegressor(
        alpha=1e-3, n_components=RANK, alpha_intercept=10.0, task="task"
    ),
    "single-task, first 3 directions": None,
}


def angle(truth: np.ndarray, found: np.ndarray) -> float:
    """Largest principal angle between the row spaces, in degrees."""
    return float(np.degrees(subspace_angles(truth.T, found.T).max()))


def single_task_directions(X: pd.DataFrame, y: np.ndarray) -> np.ndarray:
    """Principal directions of the tasks' minimum-norm least squares."""
    W = [
        np.linalg.lstsq(part.to_numpy(), y[part.index], rcond=None)[0]
        for _, part in X.reset_index(drop=True).groupby("task")[list(X.columns[:-1])]
    ]
    return np.linalg.svd(np.array(W))[2][:RANK]


def measure(rows: tuple[int, ...] = ROWS, n_repeats: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Angles by rows, model and repeat; ranks found by rows and repeat."""
    angles, ranks = [], []
    for n in rows:
        for seed in range(n_repeats):
            X, y, truth = make_low_rank_tasks(
                TASKS, FEATURES, n, rank=RANK, noise=NOISE, random_state=seed
            )
            for name, make in MODELS.items():
                found = (
                    single_task_directions(X, y) if make is None else make().fit(X, y).components_
                )
                angles.append((n, name, seed, angle(truth.components, found)))
            # A direction of pure noise lowers R by about noise² (m + d) / (2 m n) at most.
            alpha = 1.5 * NOISE**2 * (np.sqrt(TASKS) + np.sqrt(FEATURES)) ** 2 / (2 * TASKS * n)
            model = LowRankRegressor(alpha=alpha, penalty="rank", alpha_intercept=10.0, task="task")
            ranks.append((n, seed, model.fit(X, y).rank_))
    return (
        pd.DataFrame(angles, columns=["rows", "model", "seed", "angle"]),
        pd.DataFrame(ranks, columns=["rows", "seed", "rank"]),
    )


def draw(angles: pd.DataFrame, ranks: pd.DataFrame, path: Path) -> None:
    """Both figures in one file."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name, part in angles.groupby("model", sort=False):
        mean = part.groupby("rows")["angle"].mean()
        left.loglog(mean.index, mean, marker="o", label=name)
    left.set(xlabel="rows of each task", ylabel="largest principal angle (degrees)")
    left.legend(frameon=False, fontsize=8)
    mean = ranks.groupby("rows")["rank"].mean()
    right.semilogx(mean.index, mean, marker="o")
    right.axhline(RANK, color="grey", linestyle=":")
    right.set(xlabel="rows of each task", ylabel="rank found (dotted: true)", ylim=(0, RANK + 2))
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--out", type=Path, default=Path("planted_subspace.png"))
    given = parser.parse_args(arguments)
    angles, ranks = measure(tuple(given.rows), given.repeats)
    print(angles.pivot_table(index="rows", columns="model", values="angle").round(1))
    print(ranks.groupby("rows")["rank"].mean().rename("rank found"))
    draw(angles, ranks, given.out)


if __name__ == "__main__":
    main()
