"""Every road to the trace norm on the same problems, and whether the solver chosen is the best.

ADMM, accelerated proximal gradient, and "rule": what polytask takes by itself along a path. All
stop at the same duality gap, measured by residuals; times are CPU seconds of a path from the
computed largest alpha down to the last share, each fit from the last one's solution, the rule's
from where the last ones point to. Roads take turns; the least of the rounds counts.

Usage: python benchmarks/trace_norm_solvers.py [--data FOLDER] [--tol 1e-6] [--fresh-seed 0]
       [--only NAME ...] [--limit 60] [--rounds 3]
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from polytask import LowRankClassifier, LowRankRegressor
from polytask.data import make_task_data, read_rows, read_target
from polytask.datasets import make_independent_tasks, make_low_rank_tasks
from polytask.solvers import one_blas_thread
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.tuning import trace_alpha_max, trace_path

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
SHARES = np.logspace(0.0, -2.0, 9)[1:]
SIZES = {  # tasks, features, rows of each
    "small": (20, 10, 30),
    "medium": (100, 60, 90),
    "many small": (1000, 6, 10),
    "wide": (20, 400, 50),
    "high rank": (300, 60, 100),
    "like school": (139, 27, 100),
    "very wide": (20, 2000, 100),
}


def samples(folder: Path, seed: int) -> Iterator[tuple]:
    """(name, model, X, y)."""
    for name, (m, d, n) in SIZES.items():
        for classes, model in ((False, LowRankRegressor), (True, LowRankClassifier)):
            X, y, _ = make_low_rank_tasks(
                m, d, n, rank=4, classification=classes, random_state=seed
            )
            label = f"{name} ({m} tasks, {d} features, {n} rows)"
            yield f"{label} {'logistic' if classes else 'squared'}", model(task="task"), X, y
    X, y, _ = make_independent_tasks(60, 30, 100, random_state=seed)
    yield "unrelated (60 tasks, 30 features, 100 rows) squared", LowRankRegressor(task="task"), X, y
    yield from uneven(seed)
    yield from shared_rows(seed)
    yield from real(folder)


def uneven(seed: int) -> Iterator[tuple]:
    """Features whose scales differ by up to ten."""
    for m, d, n in ((139, 27, 100), (200, 40, 60)):
        X, y, _ = make_low_rank_tasks(m, d, n, rank=4, random_state=seed)
        names = [name for name in X.columns if name != "task"]
        X[names] = X[names] * np.logspace(0, 1, d)
        label = f"uneven ({m} tasks, {d} features, {n} rows) squared"
        yield label, LowRankRegressor(task="task"), X, y


def shared_rows(seed: int) -> Iterator[tuple]:
    """The same 500 rows in all of 30 tasks: a wide y; 40 features, even or not."""
    rng = np.random.default_rng(seed)
    for name, spread in (("even", np.ones(40)), ("uneven", np.logspace(0, -2, 40))):
        X = rng.normal(size=(500, 40)) * spread
        W = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 40)) / spread / 4
        Y = X @ W.T + rng.normal(size=(500, 30))
        label = f"shared X, {name} (30 tasks, 40 features, 500 rows)"
        yield f"{label} squared", LowRankRegressor(), X, Y
        yield f"{label} logistic", LowRankClassifier(), X, (Y > 0).astype(int)


def real(folder: Path) -> Iterator[tuple]:
    for name, model in (
        ("school", LowRankRegressor), ("computer_survey", LowRankRegressor),
        ("landmine", LowRankClassifier), ("contraception", LowRankClassifier),
    ):  # fmt: skip
        if (folder / name).is_dir():
            table = pd.read_parquet(folder / name / "data.parquet")
            table = table.drop(columns=["x28"] if name == "school" else [])
            X, y = table.drop(columns="target"), table["target"].to_numpy()
            kind = "squared" if model is LowRankRegressor else "logistic"
            yield f"{name} {kind}", model(task="task"), X, y


ROADS = {"admm": Admm(), "proximal": ProximalGradient(), "rule": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--fresh-seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=60, help="CPU seconds for a road")
    given = parser.parse_args()
    signal.signal(signal.SIGPROF, _too_long)
    print("| problem | admm | proximal | rule | rule / best | iterations of the rule |")
    print("|---|---|---|---|---|---|")
    for name, model, X, y in samples(given.data, given.fresh_seed):
        if given.only and not any(name.startswith(only) for only in given.only):
            continue
        seconds, found = dict.fromkeys(ROADS, np.inf), {}
        for _ in range(given.rounds):
            for road in ROADS:
                with one_blas_thread():
                    found[road] = path(model, X, y, road, given.tol, given.limit)
                seconds[road] = min(seconds[road], found[road][0])
        cells = " | ".join(f"{took:.2f}" if took < np.inf else "-" for took in seconds.values())
        ratio = seconds["rule"] / min(seconds.values())
        print(f"| {name} | {cells} | {ratio:.2f} | {found['rule'][1]} |", flush=True)


def _too_long(*_) -> None:
    raise TimeoutError


def path(model, X, y, road: str, tol: float, limit: int) -> tuple[float, list[str]]:
    """CPU seconds, iterations; the data are parsed anew, so nothing is kept.

    Infinite where a gap is not reached or the limit is passed.
    """
    rows = read_rows(model, X, reset=True)
    target, names = read_target(model, y)
    data, loss = make_task_data(model, rows, model._encode(target), names, None), model._loss()
    strengths = {"alpha": 1.0, "alpha_intercept": 0.01 / data.n_tasks}
    signal.setitimer(signal.ITIMER_PROF, limit)
    began, start, fits = time.process_time(), None, []

    def problem(alpha):
        return model._make_problem(data, loss, {**strengths, "alpha": alpha})

    try:
        alphas = SHARES * trace_alpha_max(problem(1.0))
        if ROADS[road] is None:
            fits = trace_path(problem, alphas, tol, 5000)
        for alpha in alphas if ROADS[road] else []:
            fits.append(ROADS[road].solve(problem(alpha), start, tol, 5000))
            start = fits[-1].blocks
    except TimeoutError:
        return np.inf, ["too long"]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    solved = all(fit.gap <= tol for fit in fits)
    return time.process_time() - began if solved else np.inf, [fit.n_iter for fit in fits]


if __name__ == "__main__":
    main()
