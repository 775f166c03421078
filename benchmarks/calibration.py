"""How often the statements of `compare_tasks` are right, where the truth is known.

Worlds of tasks with a known truth are drawn again and again. The rows are standard normal, so the
gain of fitted coefficients on new rows is known exactly; the true gain of a task is its mean over
fresh training sets of the size that the folds train on. `measure` gives, for a world and a number
of rows per task:

* the share of tasks called "gains" and "harmed", and the false discovery rate of these labels
  (nominal 5 %; a label is false where the true gain is zero or has the other sign);
* the coverage of the intervals (nominal 95 %): of the tasks' gains, of the shrunken gains, and
  of the overall gain, of these tasks and of tasks such as these (new ones in every truth);
* the error (root mean square) of the tasks' gains, as measured and shrunken.

`verdicts.py` prints them. Shares of few draws are uncertain themselves: 40 draws of 20 tasks are
800 intervals, but those of one draw are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone

from polytask.inspection import Comparison, compare_tasks, default_estimators

WORLDS = ("independent", "related", "partly related")
ROWS = (5, 20, 80)
FEATURES = 5
NOISE = 1.0
JOINT = "mean-regularized"


class Draws(NamedTuple):
    """Comparisons on draws of one truth; the tasks' expected loss alone and gain, (m,)."""

    comparisons: list[Comparison]
    loss: np.ndarray
    gain: np.ndarray


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
    return {name: models[name] for name in ("single-task", "pooled", JOINT)}


def exact_gain(
    W: np.ndarray, table: pd.DataFrame, y: np.ndarray, models: dict[str, Any] | None = None
) -> np.ndarray:
    """Expected loss of every task alone, and its true gain, after a fit to this table: (2, m)."""
    error = {}
    for name, model in (models or default_models()).items():
        if name in ("single-task", JOINT):
            fitted = clone(model).fit(table, y)
            found = np.column_stack([fitted.coef_, fitted.intercept_])
            error[name] = ((found - W) ** 2).sum(axis=1)
    return np.array([NOISE**2 + error["single-task"], error["single-task"] - error[JOINT]])


def simulate(
    world: str,
    n: int,
    *,
    truths: int,
    draws: int,
    m: int,
    cv: int,
    fresh: int = 30,
    models: dict[str, Any] | None = None,
    seed: int = 0,
) -> Iterator[Draws]:
    """For each truth, the comparisons on its draws and the mean gain after `fresh` fits."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(FEATURES + 1)  # tasks such as these: the same in every truth
    in_training = n - n // cv
    for _ in range(truths):
        W = draw_truth(world, m, common, rng)
        trained = [draw_rows(W, in_training, rng) for _ in range(fresh)]
        loss, gain = np.mean([exact_gain(W, *rows, models) for rows in trained], axis=0)
        tables = [draw_rows(W, n, rng) for _ in range(draws)]
        given = models or default_models()
        yield Draws([compare_tasks(given, *t, task="task", cv=cv) for t in tables], loss, gain)


def measure(found: list[Draws], model: str = JOINT) -> dict[str, float]:
    """Coverage, false discovery rate and shares of labels of `model` against the baseline."""
    parts = [_measure_truth(draws, model) for draws in found]
    measured = {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
    rows = [row for draws in found for row in _overall(draws, model)]
    such = np.mean([d.gain.mean() for d in found]) / np.mean([d.loss.mean() for d in found])
    measured["overall, such tasks"] = float(np.mean([low <= such <= high for low, high in rows]))
    measured["true gain"] = float(such)
    return measured


def _overall(draws: Draws, model: str) -> list[tuple[float, float]]:
    rows = [c.models.set_index("name").loc[model] for c in draws.comparisons]
    return [(row["gain_low"], row["gain_high"]) for row in rows]


def _measure_truth(draws: Draws, model: str) -> dict[str, float]:
    frames = [c.gains[c.gains["name"] == model] for c in draws.comparisons]
    of = {name: np.array([frame[name] for frame in frames]) for name in frames[0]}
    truth, overall = draws.gain, draws.gain.mean() / draws.loss.mean()
    better, worse = of["label"] == "gains", of["label"] == "harmed"
    false = (better & (truth <= 0)) | (worse & (truth >= 0))
    labelled = np.maximum((better | worse).sum(axis=1), 1)
    return {
        "gains": better.mean(),
        "harmed": worse.mean(),
        "false": (false.sum(axis=1) / labelled).mean(),
        "task": ((of["low"] <= truth) & (truth <= of["high"])).mean(),
        "shrunken": ((of["shrunken_low"] <= truth) & (truth <= of["shrunken_high"])).mean(),
        "overall": np.mean([low <= overall <= high for low, high in _overall(draws, model)]),
        "error": np.sqrt(((of["gain"] - truth) ** 2).mean()),
        "error shrunken": np.sqrt(((of["shrunken"] - truth) ** 2).mean()),
        "truly better": (truth > 0).mean(),
    }
