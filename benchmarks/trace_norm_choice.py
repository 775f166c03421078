"""The strengths that the default trace-norm fit chooses, by each solver, and what they are worth.

`alpha="cv"` searches with a loose gap, and two solvers stop at different points inside it. Printed
are the chosen alpha as a share of the largest, the rank, the loss on rows left out, CPU seconds.

Usage: python benchmarks/trace_norm_choice.py [--data FOLDER] [--draws 2] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from real_data import FOLDER, first_rows, load
from sklearn.metrics import log_loss

from polytask import LowRankClassifier, LowRankRegressor
from polytask.datasets import make_independent_tasks, make_low_rank_tasks
from polytask.solvers.factored.newton import FactoredNewton

ROADS = ("by itself", "admm")
N_TRAIN = {"school": 0.75, "landmine": 0.5}  # shares of a task's rows


def samples(folder: Path, draw: int) -> Iterator[tuple[str, bool, pd.DataFrame, np.ndarray, float]]:
    """(name, whether classes, X, y, training rows of a task)."""
    X, y, _ = make_low_rank_tasks(30, 20, 60, rank=3, noise=1.0, random_state=draw)
    yield "low rank, squared", False, X, y, 20
    X, y, _ = make_low_rank_tasks(30, 10, 120, rank=3, classification=True, random_state=draw)
    yield "low rank, logistic", True, X, y, 40
    X, y, _ = make_independent_tasks(30, 10, 60, noise=1.0, random_state=draw)
    yield "independent, squared", False, X, y, 20
    for name, share in N_TRAIN.items():
        if (folder / name).is_dir():
            yield name, name == "landmine", *load(name, folder), share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    print("| sample | draw | solver | alpha / largest | rank | test loss | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for draw in range(given.draws):
        for name, classes, X, y, n in samples(given.data, draw):
            if given.only and not any(name.startswith(only) for only in given.only):
                continue
            train = first_rows(X, n, np.random.default_rng(draw))
            for road in ROADS:
                line = fit(classes, X, y, train, road)
                print(f"| {name} | {draw} | {road} | {line} |", flush=True)


def fit(classes: bool, X: pd.DataFrame, y: np.ndarray, train: np.ndarray, road: str) -> str:
    """Cells of one default fit."""
    model = (LowRankClassifier if classes else LowRankRegressor)(task="task")
    began = time.process_time()
    with without_newton() if road == "admm" else contextlib.nullcontext():
        model.fit(X[train], y[train])
    seconds = time.process_time() - began
    if classes:
        loss = log_loss(y[~train], model.predict_proba(X[~train]))
    else:
        loss = float(np.mean((y[~train] - model.predict(X[~train])) ** 2))
    share = model.alpha_ / model.alpha_path_[0]
    return f"{share:.4g} | {model.rank_} | {loss:.5g} | {seconds:.1f}"


def without_newton() -> contextlib.AbstractContextManager:
    """ADMM is next in the order of preference."""
    return mock.patch.object(FactoredNewton, "why_not", return_value="is left out")


if __name__ == "__main__":
    main()
