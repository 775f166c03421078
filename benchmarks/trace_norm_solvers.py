"""Factored Newton, ADMM and restarted accelerated gradient on the same trace-norm problems.

All stop at the same duality gap, measured by residuals; times are CPU seconds of a path from the
computed largest alpha down to the share that is printed, each fit from the last one's solution.

Usage: python benchmarks/trace_norm_solvers.py [--data FOLDER] [--tol 1e-6] [--fresh-seed 0]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from polytask import LowRankClassifier, LowRankRegressor
from polytask.data import make_task_data, read_rows, read_target
from polytask.datasets import make_low_rank_tasks
from polytask.solvers import one_blas_thread
from polytask.solvers.admm import Admm
from polytask.solvers.factored import FactoredNewton
from polytask.solvers.fista import Fista
from polytask.tuning import trace_alpha_max

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
SHARES = np.logspace(0.0, -2.0, 9)[1:]
SIZES = {"small": (20, 10, 30), "medium": (100, 60, 90), "wide": (20, 400, 50)}


def samples(folder: Path, seed: int):
    """(name, model, X, y)."""
    for name, (m, d, n) in SIZES.items():
        for classes, model in ((False, LowRankRegressor), (True, LowRankClassifier)):
            X, y, _ = make_low_rank_tasks(
                m, d, n, rank=4, classification=classes, random_state=seed
            )
            label = f"{name} ({m} tasks, {d} features, {n} rows)"
            yield f"{label} {'logistic' if classes else 'squared'}", model(task="task"), X, y
    if (folder / "school").is_dir():
        table = pd.read_parquet(folder / "school" / "data.parquet").drop(columns="x28")
        X, y = table.drop(columns="target"), table["target"].to_numpy()
        yield "school squared", LowRankRegressor(task="task"), X, y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--fresh-seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    print("| problem | method | path, CPU s | iterations, from strong to weak | largest gap |")
    print("|---|---|---|---|---|")
    for name, model, X, y in samples(given.data, given.fresh_seed):
        if given.only and not any(name.startswith(only) for only in given.only):
            continue
        for solver in (FactoredNewton(), Admm(), Fista()):
            with one_blas_thread():
                seconds, counts, gap = path(model, X, y, solver, given.tol)
            print(f"| {name} | {solver.name} | {seconds:.2f} | {counts} | {gap:.0e} |", flush=True)


def path(model, X, y, solver, tol: float) -> tuple[float, list[int], float]:
    """CPU seconds, iterations and the largest gap; the data are parsed anew, so nothing is kept."""
    rows = read_rows(model, X, reset=True)
    target, names = read_target(model, y)
    data, loss = make_task_data(model, rows, model._encode(target), names, None), model._loss()
    strengths = {"alpha": 1.0, "alpha_intercept": 0.01 / data.n_tasks}
    began = time.process_time()
    top = trace_alpha_max(model._make_problem(data, loss, strengths))
    start, counts, gaps = None, [], []
    for share in SHARES:
        problem = model._make_problem(data, loss, {**strengths, "alpha": share * top})
        solution = solver.solve(problem, start, tol, 5000)
        start = solution.blocks
        counts.append(solution.n_iter)
        gaps.append(solution.gap)
    return time.process_time() - began, counts, max(gaps)


if __name__ == "__main__":
    main()
