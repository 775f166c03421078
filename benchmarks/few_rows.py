"""Strengths by leave-one-out, by REML and by the better of both, where tasks have few rows.

    python benchmarks/few_rows.py [--seeds 5] [--docs docs/models/mean_regularized.md]

Two to five rows of every task train, the others judge, of the tables of `curves.py` and of simulated
worlds; and, for what a rule costs elsewhere, whole tables in three folds. Errors are root mean
squares over rows, ratios are means over draws of the rows, in logarithms. R must be there, with nlme,
lme4 and MASS. Every table is judged; nothing in the rules was chosen by them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from curves import FOLDER, SHARED, TABLES, folds, from_r, prepared
from real_data import load

from polytask import MeanRegularizedRegressor
from polytask.datasets import make_related_tasks

RULES = ("cv", "reml", "auto")
FEW = (2, 3, 4, 5)
MOST_TEST = 4000
MARK = "<!-- figures of benchmarks/few_rows.py -->"
WORLDS = {
    f"world: deviation {deviation:g}, {d} features, noise {noise:g}": (deviation, d, noise)
    for deviation in (0.0, 0.3, 1.0)
    for d in (1, 3, 8)
    for noise in (0.3, 2.0)
}


def world(deviation: float, d: int, noise: float, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Forty tasks of forty rows."""
    X, y, _ = make_related_tasks(
        40, d, 40, deviation=deviation, level=deviation, noise=noise, random_state=seed
    )
    return X, np.asarray(y)


def errors(X: pd.DataFrame, y: np.ndarray, train: np.ndarray, seed: int) -> dict[str, float]:
    """Root mean squared error of the other rows, by rule."""
    rest = np.flatnonzero(~train)
    rest = np.random.default_rng(seed).permutation(rest)[:MOST_TEST]
    found = {}
    for rule in RULES:
        model = MeanRegularizedRegressor(rule, task="task", unseen="common")
        model.fit(X[train], y[train])
        found[rule] = float(np.sqrt(np.mean((y[rest] - model.predict(X.iloc[rest])) ** 2)))
    return found


def some_of(task: np.ndarray, r: int, seed: int) -> np.ndarray:
    """Mask of r rows of every task that has more."""
    rng, train = np.random.default_rng(seed), np.zeros(len(task), dtype=bool)
    for each in np.unique(task):
        rows = rng.permutation(np.flatnonzero(task == each))
        train[rows[: min(r, max(len(rows) - 1, 1))]] = True
    return train


def one(name: str, X: pd.DataFrame, y: np.ndarray, seed: int) -> list[dict[str, object]]:
    """All draws of a table with this seed."""
    task, found = X["task"].to_numpy(), []
    for r in FEW:
        train = some_of(task, r, seed)
        if train.sum() > X.shape[1] + 2 and (~train).sum() > 5:
            found.append({"table": name, "rows": r, **errors(X, y, train, seed)})
    if np.median(np.unique(task, return_counts=True)[1]) >= 9:
        fold = folds(task, 3, seed)
        found += [{"table": name, "rows": 0, **errors(X, y, fold != k, seed)} for k in range(3)]
    return found


def main(seeds: int, docs: str | None) -> None:
    """Every table and world, every seed."""
    started, records = time.process_time(), []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        real = [from_r(line, Path(folder)) for line in TABLES.strip().splitlines()]
        real += [(name, *load(name, FOLDER)) for name in SHARED if (FOLDER / name).exists()]
        for name, X, y in real:
            Z = prepared(X)
            for seed in range(seeds):
                records += one(name, Z, y, seed)
            print(name, f"{time.process_time() - started:.0f} s", flush=True)
        for name, how in WORLDS.items():
            for seed in range(seeds):
                records += one(name, *world(*how, seed), seed)
            print(name, f"{time.process_time() - started:.0f} s", flush=True)
    table = pd.DataFrame(records)
    table.to_csv("/tmp/mixed18_few.csv", index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--docs")
    main(**vars(parser.parse_args()))
