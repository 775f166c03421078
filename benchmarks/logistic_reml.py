"""Logistic mean-regularized models: strengths by REML (Laplace) beside leave-one-out.

Printed: the mean test log loss over repeats at several training rows a task, the share of repeats
in which REML is the better, how much more log loss it has (per cent, with the standard error over
repeats), and the median seconds of a fit. At least "cv" and "reml auto" are compared.

Usage: python benchmarks/logistic_reml.py [--data FOLDER] [--repeats 10] [--first-seed 0]
       [--only landmine] [--models cv "reml auto"]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from real_data import add_folder, first_rows, load

import polytask.datasets as worlds
from polytask import MeanRegularizedClassifier, PooledClassifier, SingleTaskClassifier

SYNTHETIC = ("related", "low_rank", "independent", "outlier")
REAL = ("contraception", "landmine", "digits_sklearn")
MODELS = {
    "single-task": lambda: SingleTaskClassifier(task="task"),
    "pooled": lambda: PooledClassifier(task="task"),
    "cv": lambda: MeanRegularizedClassifier(task="task"),
    "reml scalar": lambda: MeanRegularizedClassifier("reml", covariance="scalar", task="task"),
    "reml diagonal": lambda: MeanRegularizedClassifier("reml", covariance="diagonal", task="task"),
    "reml auto": lambda: MeanRegularizedClassifier("reml", task="task"),
}


def cases(
    arguments: argparse.Namespace, seed: int
) -> Iterator[tuple[str, float, pd.DataFrame, np.ndarray]]:
    """(name, rows a task, X, y)."""
    for name in SYNTHETIC:
        for n in (5, 20, 80):
            make = getattr(worlds, f"make_{name}_tasks")
            X, y, _ = make(n_rows=n + 100, classification=True, random_state=seed)
            yield name, n, X, y
    for name in REAL:
        if (arguments.data / name).is_dir():
            X, y = load(name, arguments.data)
            for n in (5, 10, 40, 0.5):
                yield name, n, X, y


def log_loss(model, X: pd.DataFrame, y: np.ndarray) -> float:
    sign = np.where(y == model.classes_[1], 1.0, -1.0)
    return float(np.mean(np.logaddexp(0.0, -sign * model.decision_function(X))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    add_folder(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found: list[dict[str, object]] = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.repeats):
        for name, n, X, y in cases(arguments, seed):
            if arguments.only and name not in arguments.only:
                continue
            train = first_rows(X, n, np.random.default_rng([seed, int(10 * n)]))
            test = ~train & X["task"].isin(X["task"][train]).to_numpy()
            for label in arguments.models:
                start = time.perf_counter()
                model = MODELS[label]().fit(X[train], y[train])
                seconds = time.perf_counter() - start
                loss = log_loss(model, X[test], y[test])
                found.append({
                    "data": name, "rows": n, "seed": seed, "model": label, "loss": loss,
                    "seconds": seconds,
                })  # fmt: skip
    table = pd.DataFrame(found)
    wide = table.pivot_table(index=["data", "rows"], columns="model", values="loss", sort=False)
    each = table.pivot_table(index=["data", "rows", "seed"], columns="model", values="loss")
    ratio = (each["reml auto"] / each["cv"] - 1).groupby(["data", "rows"])
    wide["auto beats cv"] = (each["reml auto"] < each["cv"]).groupby(["data", "rows"]).mean()
    wide["auto over cv, %"], wide["its error"] = 100 * ratio.mean(), 100 * ratio.sem()
    print(wide.round(4).to_string())
    print(table.groupby(["data", "model"], sort=False)["seconds"].median().unstack().round(3))


if __name__ == "__main__":
    main()
