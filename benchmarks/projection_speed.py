"""What a rank limit and a projection cost in fits of single tasks.

    python benchmarks/projection_speed.py [--sizes small,school] [--repeats 15] [--seed 1]
                                         [--profile]

STL is ridge regression per task: batched Gram matrices and LAPACK solves in numpy, one BLAS
thread, from the rows to the coefficients. The contestants take turns in one run, each from the rows
to the certificate (KKT violation at the returned coefficients); medians, and ratios to STL. Sizes
are those of `frontier.py`: planted rank 4 plus a shared mean.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats

import harness  # sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
from frontier import make, problem, single_task, task_data

import polytask
from polytask.data import TaskData
from polytask.losses import Squared
from polytask.penalties import Orthonormal, Rank, Ridge
from polytask.problem import Problem
from polytask.solvers import Solution, one_blas_thread, select
from polytask.structures import CommonDeviation, LowRankPlus, Projected

RANK = 5
TOL = 1e-7


def rank_limited(data: TaskData) -> Problem:
    """rank(W) <= 5, without intercepts, as the reference."""
    nothing = np.zeros(data.n_features, dtype=bool)
    penalties = {
        "low_rank": Rank(0.0, RANK),
        "common": Ridge(np.zeros(0)),
        "deviation": Ridge(np.zeros(0)),
    }
    structure = LowRankPlus(CommonDeviation(nothing, nothing), data.n_features)
    return Problem(data, Squared(), structure, penalties)


def projected(data: TaskData, alpha: float) -> Problem:
    """Mean-regularized heads on five learned features."""
    penalties = {
        "projection": Orthonormal(),
        "common": Ridge(np.zeros(RANK)),
        "deviation": Ridge(np.full(RANK, alpha)),
    }
    return Problem(data, Squared(), Projected(data.n_features, RANK, False), penalties)


def solve(asked: Problem) -> Solution:
    """The fit that an estimator makes."""
    with one_blas_thread():
        return select(asked).solve(asked, None, TOL, 2000)


def measure(size: str, seed: int, repeats: int, profile: bool) -> list[dict[str, object]]:
    data = task_data(*make(size, seed, False))
    X, y, start = np.asarray(data.design.X), data.y, data.start
    alpha = 1.0 / len(y)

    def fresh() -> TaskData:
        return task_data(X, y, data.code)  # nothing cached

    contestants = {
        "STL": lambda: single_task(X, y, start, 2.0),
        "joint fit": lambda: solve(problem(fresh(), alpha, 0.0)),
        "rank 5": lambda: solve(rank_limited(fresh())),
        "projected, 5 features": lambda: solve(projected(fresh(), alpha)),
    }
    answers = {name: run() for name, run in contestants.items()}
    seconds = harness.alternate(contestants, repeats)
    rows: list[dict[str, object]] = []
    for name, taken in seconds.items():
        row: dict[str, object] = {"size": size, "work": name, "ms": 1e3 * taken}
        row["x STL"] = taken / seconds["STL"]
        answer = answers[name]
        if isinstance(answer, Solution):
            row |= {"violation": f"{answer.violation:.0e}", "steps": answer.n_iter}
            row["status"] = answer.status.value
        rows.append(row)
    if profile:
        for name in ("rank 5", "projected, 5 features"):
            print(f"\n{size}, {name}")
            run = cProfile.Profile()
            run.runcall(contestants[name])
            pstats.Stats(run).sort_stats("cumulative").print_stats("polytask|frontier", 30)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="small,school")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []
    for size in asked.sizes.split(","):
        rows += measure(size, asked.seed, asked.repeats, asked.profile)
    print(f"polytask {polytask.__version__}, {os.cpu_count()} cores, seed {asked.seed}\n")
    print(harness.table(rows))


if __name__ == "__main__":
    main()
