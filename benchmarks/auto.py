"""AutoMultiTask beside its candidates: regret against the best of them in hindsight.

Test loss (RMSE, or log loss of labels) over all test rows, at several training rows a task, on
synthetic worlds and on real tables. Printed: the loss of auto over that of the best candidate,
and over the better of single-task and pooled, minus one, in percent.

Usage: python benchmarks/auto.py [--data FOLDER] [--repeats 2] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from real_data import BINARY, REGRESSION, add_folder, first_rows, load

import polytask.datasets as worlds
from polytask import AutoMultiTaskClassifier, AutoMultiTaskRegressor

ROWS = (5, 20, 80)
TEST_ROWS = 100
SYNTHETIC = ("related", "low_rank", "clustered", "outlier", "independent")
Case = tuple[str, float, pd.DataFrame, np.ndarray, bool]


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """(name, rows a task, X, y, whether classes)."""
    for classification in (False, True):
        for name in SYNTHETIC:
            label = name + (" classes" if classification else "")
            for n in ROWS:
                X, y, _ = getattr(worlds, f"make_{name}_tasks")(
                    n_rows=n + TEST_ROWS, classification=classification, random_state=1
                )
                yield label, n, X, y, classification
    for names, classification in ((REGRESSION, False), (BINARY, True)):
        for name in names:
            if (arguments.data / name).is_dir():
                X, y = load(name, arguments.data)
                most = X.groupby("task").size().median()
                for n in (5, 20, 80, 0.5):
                    if n < 0.7 * most and not (n == 0.5 and most > 300):
                        yield name, n, X, y, classification


def loss(model, X: pd.DataFrame, y: np.ndarray, classification: bool) -> float:
    if not classification:
        return float(np.sqrt(np.mean((y - model.predict(X)) ** 2)))
    sign = np.where(y == model.classes_[1], 1.0, -1.0)
    return float(np.mean(np.logaddexp(0.0, -sign * model.decision_function(X))))


def compare(case: Case, repeat: int) -> tuple[dict[str, float], object] | None:
    """Losses of every candidate and of auto."""
    _, n, X, y, classification = case
    train = first_rows(X, n, np.random.default_rng([repeat, int(10 * n)]))
    if classification and len(np.unique(y[train])) < 2:
        return None
    auto = (AutoMultiTaskClassifier if classification else AutoMultiTaskRegressor)(task="task")
    known = X["task"].isin(X["task"][train])
    test = ~train & known.to_numpy()
    auto.fit(X[train], y[train])
    losses = {
        name: loss(model, X[test], y[test], classification)
        for name, model in auto.estimators_.items()
    }
    losses["auto"] = loss(auto, X[test], y[test], classification)
    return losses, auto


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    add_folder(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'data':22} {'rows':>5} {'auto':>8} {'best':>8} {'% best':>7} {'% base':>7} {'s':>5}")
    regrets = []
    for case in cases(arguments):
        if arguments.only and case[0] not in arguments.only:
            continue
        start = time.perf_counter()
        found = [f for f in (compare(case, r) for r in range(arguments.repeats)) if f]
        if not found:
            continue
        mean = pd.DataFrame([losses for losses, _ in found]).mean()
        auto = mean.pop("auto")
        base = min(mean["single-task"], mean["pooled"])
        to_best, to_base = 100 * (auto / mean.min() - 1), 100 * (auto / base - 1)
        regrets.append((to_best, to_base))
        common = np.round(found[0][1].common_weights_, 2).tolist()
        print(
            f"{case[0]:22} {case[1]:5} {auto:8.4f} {mean.min():8.4f} {to_best:7.2f} {to_base:7.2f} "
            f"{(time.perf_counter() - start) / len(found):5.1f}  {mean.idxmin():22} {common} "
            f"tau {[f[1].tau_ for f in found]}", flush=True,
        )  # fmt: skip
    best, base = np.array(regrets).T
    print(f"mean over best {best.mean():.2f} %, worst {best.max():.2f} %")
    print(f"over the better of single-task and pooled: mean {base.mean():.2f} %, worst "
          f"{base.max():.2f} %, cases above 2 %: {(base > 2).sum()} of {len(base)}")  # fmt: skip


if __name__ == "__main__":
    main()
