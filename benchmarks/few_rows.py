"""Strengths by leave-one-out, by REML and by the better of both, where tasks have few rows.

    python benchmarks/few_rows.py [--seeds 3] [--docs docs/models/mean_regularized.md]

Two to five rows of every task train, the others judge, of the tables of `curves.py` and of
simulated worlds; and, for what a rule costs elsewhere, one fold of three of whole tables. Errors
are root mean squares over rows; a cell, a table at a number of rows, has the geometric mean of its
draws. R
must be there, with nlme, lme4 and MASS. The doubt in `polytask.models.strength_rules`, half a
standard error, was chosen on every second table with seeds 20 to 23; that of few rows, five over
the rows of a task, on all tables with seeds 20 to 22. Figures are of seeds from 30.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from curves import FOLDER, SHARED, TABLES, folds, from_r, prepared
from pages import put
from real_data import load

from polytask import MeanRegularizedRegressor
from polytask.datasets import make_related_tasks

RULES = ("cv", "reml", "auto")
FEW = (2, 3, 4, 5)
FIRST_SEED = 30
MOST_TEST = 4000
MARK = "<!-- figures of benchmarks/few_rows.py -->"


def worlds(seed: int) -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Forty tasks of forty rows each."""
    found = {}
    for deviation in (0.0, 0.3, 1.0):
        for d in (1, 3, 8):
            for noise in (0.3, 2.0):
                X, y, _ = make_related_tasks(
                    40, d, 40, deviation=deviation, level=deviation, noise=noise, random_state=seed
                )
                found[f"world {deviation:g}, {d}, {noise:g}"] = X, np.asarray(y)
    return found


def errors(X: pd.DataFrame, y: np.ndarray, train: np.ndarray, seed: int) -> dict[str, float]:
    """Root mean squared error of the other rows, by rule."""
    rest = np.random.default_rng(seed).permutation(np.flatnonzero(~train))[:MOST_TEST]
    found = {}
    for rule in RULES:
        model = MeanRegularizedRegressor(rule, task="task", unseen="common")
        f = model.fit(X[train], y[train]).predict(X.iloc[rest])
        found[rule] = float(np.sqrt(np.mean((y[rest] - f) ** 2)))
    return found


def some_of(task: np.ndarray, r: int, seed: int) -> np.ndarray:
    """Mask of r rows of every task that has more."""
    rng, train = np.random.default_rng(seed), np.zeros(len(task), dtype=bool)
    for each in np.unique(task):
        rows = rng.permutation(np.flatnonzero(task == each))
        train[rows[: min(r, max(len(rows) - 1, 1))]] = True
    return train


def one(name: str, X: pd.DataFrame, y: np.ndarray, seed: int) -> list[dict[str, object]]:
    """All draws of a table with this seed; 0 rows stand for the whole table."""
    task, found = X["task"].to_numpy(), []
    for r in FEW:
        train = some_of(task, r, seed)
        if train.sum() > X.shape[1] + 2 and (~train).sum() > 5:
            found.append({"table": name, "rows": r, **errors(X, y, train, seed)})
    if np.median(np.unique(task, return_counts=True)[1]) >= 9:
        found.append({"table": name, "rows": 0, **errors(X, y, folds(task, 3, seed) > 0, seed)})
    return found


def table_of(draws: pd.DataFrame) -> list[str]:
    """The figures, a line a rule."""
    few, whole = draws[draws["rows"] > 0], draws[draws["rows"] == 0]
    lines = ["| rule | few rows: error / REML's | worst cell | cells > 1.10 | draws > 1.10 | "
             "whole tables / leave-one-out | worst |", "|---" * 7 + "|"]  # fmt: skip
    for rule in ("cv", "auto"):
        ratio = np.log(few[rule] / few["reml"])
        cells = ratio.groupby([few["table"], few["rows"]]).mean()
        cost = np.log(whole[rule] / whole["cv"]).groupby(whole["table"]).mean()
        high = np.log(1.1)
        lines.append(
            f"| `{rule!r}` | {np.exp(cells.mean()):.3f} | {np.exp(cells.max()):.2f} | "
            f"{(cells > high).sum()} of {len(cells)} | {(ratio > high).mean():.1%} of {len(ratio)} "
            f"| {np.exp(cost.mean()):.4f} | {np.exp(cost.max()):.3f} |"
        )
    ratio = np.log(few["auto"] / few["reml"]).groupby([few["table"], few["rows"]]).mean()
    named = [f"{table} at {rows} ({np.exp(r):.2f})" for (table, rows), r in
             ratio[ratio > np.log(1.1)].items()]  # fmt: skip
    behind = ", ".join(named) or "none"
    return [*lines, "", f"Cells where `'auto'` is a tenth behind REML: {behind}."]


def main() -> None:
    """Print the table; with --docs put it into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    draws: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        real = [from_r(line, Path(folder)) for line in TABLES.strip().splitlines()]
        real += [(name, *load(name)) for name in SHARED if FOLDER.exists()]
    tables = [(name, prepared(X), y) for name, X, y in real]
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.seeds):
        for name, X, y in (*tables, *((n, *xy) for n, xy in worlds(seed).items())):
            draws += one(name, X, y, seed)
        lines = table_of(pd.DataFrame(draws))
        print(f"seed {seed}", *lines, sep="\n", flush=True)
    if arguments.docs:
        put(arguments.docs, MARK, lines)


if __name__ == "__main__":
    main()
