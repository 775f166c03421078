"""How often the statements of `compare_tasks` are right, where the truth is known.

Worlds of tasks with a known truth are drawn again and again. The true gain of a task is its mean
over the draws: what the models gain there with new training and test rows. Printed per world:

* the share of tasks called "gains" and "harmed", and the false discovery rate of these labels
  (nominal 5 %; a label is false where the true gain is zero or has the other sign);
* the coverage of the intervals (nominal 95 %): of the tasks' gains, of the shrunken gains, and
  of the overall gain, of these tasks and of tasks such as these (new ones in every truth);
* the error (root mean square) of the tasks' gains, as measured and shrunken;
* how often each verdict was given.

Usage: python benchmarks/calibration.py [--truths 3] [--draws 20] [--tasks 20] [--cv 5]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection import Comparison, compare_tasks, default_estimators

WORLDS = ("independent", "related", "partly related")
ROWS = (10, 20, 80)
FEATURES = 5
NOISE = 1.0


def draw_truth(world: str, m: int, common: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coefficients (m, FEATURES + 1), the level of a task last.

    Independent tasks share nothing, the level included; related ones lie about `common`; in the
    partly related world 30 % of the tasks are independent of the others.
    """
    if world == "independent":
        return rng.standard_normal((m, FEATURES + 1))
    W = common + 0.25 * rng.standard_normal((m, FEATURES + 1))
    if world == "partly related":
        outliers = rng.choice(m, size=round(0.3 * m), replace=False)
        W[outliers] = 1.5 * rng.standard_normal((len(outliers), FEATURES + 1))
    return W


def draw_rows(W: np.ndarray, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of n rows per task and its target."""
    codes = np.repeat(np.arange(len(W)), n)
    X = rng.standard_normal((codes.size, FEATURES))
    y = (X * W[codes, :-1]).sum(axis=1) + W[codes, -1] + NOISE * rng.standard_normal(codes.size)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(FEATURES)]).assign(task=codes), y


def default_models() -> dict[str, Any]:
    """Single-task, pooled and mean-regularized, each choosing its own strength."""
    models = default_estimators("regression", "task")
    return {name: models[name] for name in ("single-task", "pooled", "mean-regularized")}


def simulate(
    world: str,
    n: int,
    *,
    truths: int,
    draws: int,
    m: int,
    cv: int,
    models: dict[str, Any] | None = None,
    seed: int = 0,
) -> Iterator[list[Comparison]]:
    """For each truth, the comparisons on its draws."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(FEATURES + 1)  # tasks such as these: the same in every truth
    for _ in range(truths):
        W = draw_truth(world, m, common, rng)
        yield [
            compare_tasks(models or default_models(), *draw_rows(W, n, rng), task="task", cv=cv)
            for _ in range(draws)
        ]


def measure(found: list[list[Comparison]], model: str = "mean-regularized") -> dict[str, float]:
    """Coverage, false discovery rate and shares of labels of `model` against the baseline."""
    parts = [_measure_truth(comparisons, model) for comparisons in found]
    rows = [c.models.set_index("name").loc[model] for draws in found for c in draws]
    target = np.mean([row["gain"] for row in rows])
    measured = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
    measured["overall, such tasks"] = float(
        np.mean([row["gain_low"] <= target <= row["gain_high"] for row in rows])
    )
    return measured


def _measure_truth(comparisons: list[Comparison], model: str) -> dict[str, float]:
    frames = [c.gains[c.gains["name"] == model] for c in comparisons]
    rows = [c.models.set_index("name").loc[model] for c in comparisons]
    of = {name: np.array([frame[name] for frame in frames]) for name in frames[0]}
    truth = of["gain"].mean(axis=0)
    better, worse = of["label"] == "gains", of["label"] == "harmed"
    false = (better & (truth <= 0)) | (worse & (truth >= 0))
    labelled = np.maximum((better | worse).sum(axis=1), 1)
    overall = np.mean([row["gain"] for row in rows])
    return {
        "gains": better.mean(),
        "harmed": worse.mean(),
        "false": (false.sum(axis=1) / labelled).mean(),
        "task": ((of["low"] <= truth) & (truth <= of["high"])).mean(),
        "shrunken": ((of["shrunken_low"] <= truth) & (truth <= of["shrunken_high"])).mean(),
        "overall": np.mean([row["gain_low"] <= overall <= row["gain_high"] for row in rows]),
        "error": np.sqrt(((of["gain"] - truth) ** 2).mean()),
        "error shrunken": np.sqrt(((of["shrunken"] - truth) ** 2).mean()),
        "truly better": (truth > 0).mean(),
    }


def main() -> None:
    """Print a line per world and number of rows."""
    parser = argparse.ArgumentParser(description="Calibration of compare_tasks.")
    for name, default in (("truths", 3), ("draws", 20), ("tasks", 20), ("cv", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    for world in WORLDS:
        for n in ROWS:
            size = {"truths": given.truths, "draws": given.draws, "m": given.tasks}
            found = list(simulate(world, n, cv=given.cv, **size))
            verdicts = Counter(c.verdict.label for draws in found for c in draws)
            print(f"{world}, {n} rows per task")
            print("  " + ", ".join(f"{k} {v:.3f}" for k, v in measure(found).items()))
            print("  " + ", ".join(f"{k} {v}" for k, v in verdicts.most_common()), flush=True)


if __name__ == "__main__":
    main()
