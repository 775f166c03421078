"""AutoMultiTask beside its candidates: regret against the best of them in hindsight.

Test loss (RMSE, or log loss of labels) over all test rows, at several training rows a task, on
synthetic worlds and on real tables. Printed: the loss of auto over that of the best candidate,
and over the better of single-task and pooled, minus one, in percent.

Constants of the estimator were set on the development cases. The confirmation cases are worlds
from other seeds and tables that no constant has seen. With --results FILE every case adds a line
(JSON), and a run that was cut off goes on where it stood; --table prints what the file holds.

Usage: python benchmarks/auto.py [--part development|confirmation] [--seeds 1 ...] [--only NAME ...]
       [--rows 5 20 ...] [--data FOLDER] [--results FILE] [--table]
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from real_data import BINARY, MORE_BINARY, REGRESSION, add_folder, first_rows, load

import polytask.datasets as worlds
from polytask import AutoMultiTaskClassifier, AutoMultiTaskRegressor

ROWS = (5, 20, 80, 0.5)
TEST_ROWS = 100  # of every task of a synthetic world
MOST_TEST_ROWS = 20_000
SYNTHETIC = ("related", "low_rank", "clustered", "outlier", "independent")
SEEN = (
    "exam65", "computer_survey", "chem97_lea", "scotssec", "sarcos", "landmine", "contraception",
)  # fmt: skip
SEEDS = {"development": (1, 1001), "confirmation": (2001, 2002)}
Case = tuple[str, float, pd.DataFrame, np.ndarray, bool]


def cases(given: argparse.Namespace, seed: int) -> Iterator[Case]:
    """(name, rows a task, X, y, whether classes)."""
    wanted = lambda name: not given.only or name in given.only  # noqa: E731
    for classification in (False, True):
        for name in SYNTHETIC:
            label = name + (" classes" if classification else "")
            for n in [n for n in given.rows if n >= 1 and wanted(label)]:
                X, y, _ = getattr(worlds, f"make_{name}_tasks")(
                    n_rows=int(n) + TEST_ROWS, classification=classification, random_state=seed
                )
                yield label, n, X, y, classification
    for name in (*REGRESSION, *BINARY, *MORE_BINARY):
        mine = (name in SEEN) == (given.part == "development")
        if mine and wanted(name) and (given.data / name).is_dir():
            X, y = load(name, given.data)
            most = X.groupby("task").size().median()
            for n in given.rows:
                if n < 0.7 * most and not (n == 0.5 and most > 300):
                    yield name, n, X, y, name not in REGRESSION


def loss(model, X: pd.DataFrame, y: np.ndarray, classification: bool) -> float:
    if not classification:
        return float(np.sqrt(np.mean((y - model.predict(X)) ** 2)))
    sign = np.where(y == model.classes_[1], 1.0, -1.0)
    return float(np.mean(np.logaddexp(0.0, -sign * model.decision_function(X))))


def compare(case: Case, seed: int) -> dict | None:
    """Losses of every candidate and of auto."""
    _, n, X, y, classification = case
    rng = np.random.default_rng([seed, int(10 * n)])
    train = first_rows(X, n, rng)
    if classification and len(np.unique(y[train])) < 2:
        return None
    auto = (AutoMultiTaskClassifier if classification else AutoMultiTaskRegressor)(task="task")
    test = ~train & X["task"].isin(X["task"][train]).to_numpy()
    if test.sum() > MOST_TEST_ROWS:
        test &= rng.random(len(test)) < MOST_TEST_ROWS / test.sum()
    start = time.process_time()
    auto.fit(X[train], y[train])
    models = {**auto.estimators_, "auto": auto}
    return {
        "losses": {k: loss(model, X[test], y[test], classification) for k, model in models.items()},
        "weights": dict(zip(auto.candidates_, auto.common_weights_.round(2), strict=True)),
        "tau": auto.tau_, "seconds": round(time.process_time() - start, 1),
    }  # fmt: skip


def regrets(lines: list[dict]) -> pd.DataFrame:
    """A row a case: losses averaged over seeds first."""
    rows = []
    every = pd.DataFrame(lines)
    for (name, n, classes), group in every.groupby(["name", "n", "classes"], sort=False):
        mean = pd.DataFrame(list(group["losses"])).mean()
        auto = mean.pop("auto")
        base = min(mean["single-task"], mean["pooled"])
        best, to = mean.min(), mean.idxmin()
        rows.append((name, n, classes, len(group), auto, best, 100 * (auto / best - 1),
                     100 * (auto / base - 1), group["seconds"].mean(), to))  # fmt: skip
    columns = ["data", "rows", "classes", "draws", "auto", "best", "% best", "% base", "s", "is"]
    return pd.DataFrame(rows, columns=columns)


def report(lines: list[dict]) -> None:
    found = regrets(lines)
    print(found.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    for (classes, n), group in found.groupby(["classes", "rows"]):
        print("classes   " if classes else "regression", f"{n:4} rows:", _words(group))
    print(f"all {len(found)}:", _words(found))


def _words(found: pd.DataFrame) -> str:
    best, base = found["% best"], found["% base"]
    return (
        f"over the best {best.mean():.2f} ({best.min():.1f} to {best.max():.1f}), above 2 % over "
        f"the better of single-task and pooled: {(base > 2).sum()} of {len(base)} "
        f"(worst {base.max():.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=list(SEEDS), default="development")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--rows", type=float, nargs="*", default=ROWS)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--results", type=Path)
    parser.add_argument("--table", action="store_true", help="fit nothing, print the results")
    add_folder(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    text = given.results.read_text() if given.results and given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    done = {(k["name"], k["n"], k["seed"]) for k in lines}
    for seed in () if given.table else given.seeds or SEEDS[given.part]:
        for case in cases(given, seed):
            key = {"name": case[0], "n": float(case[1]), "classes": case[4], "seed": seed}
            if (key["name"], key["n"], seed) in done:
                continue
            found = compare(case, seed)
            if found is None:
                continue
            lines.append({**key, **found})
            if given.results:
                with given.results.open("a") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    report(lines)


if __name__ == "__main__":
    main()
