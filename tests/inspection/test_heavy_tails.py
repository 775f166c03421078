"""Huber's loss is compared where residuals have heavy tails, and only there."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, ScaledTargetRegressor, SingleTaskRegressor
from polytask.inspection import compare_tasks

MODELS = {"single-task": None, "mean-regularized": None}
ROBUST = "mean-regularized-huber"


def draw(noise, seed=0, m=15, n=20):
    rng = np.random.default_rng(seed)
    task, X = np.repeat(np.arange(m), n), rng.normal(size=(m * n, 3))
    W = np.array([1.0, -1.0, 0.5]) + 0.3 * rng.normal(size=(m, 3))
    table = pd.DataFrame(X, columns=list("abc")).assign(task=task)
    return table, (X * W[task]).sum(axis=1) + noise(rng, m * n)


def test_with_heavy_tails_it_takes_part_and_is_better():
    X, y = draw(lambda rng, n: rng.normal(size=n) + (rng.random(n) < 0.04) * rng.normal(0, 25, n))
    found = compare_tasks(MODELS, X, y, task="task", metric="mae")
    models = found.models.set_index("name")
    assert models.loc[ROBUST, ["role", "status"]].tolist() == ["joint", "ok"]
    assert models.loc[ROBUST, "title"] == "Mean-regularized, Huber's loss"
    assert models.loc[ROBUST, "metric"] < 0.97 * models.loc["mean-regularized", "metric"]
    assert any(note.startswith("Residuals have heavy tails") for note in found.notes)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_normal_noise_it_does_not(seed):
    X, y = draw(lambda rng, n: rng.normal(size=n), seed)
    found = compare_tasks(MODELS, X, y, task="task")
    assert ROBUST not in set(found.models["name"])
    labels = compare_tasks(MODELS, X, (y > 0).astype(int), task="task")
    assert ROBUST not in set(labels.models["name"])


def test_of_a_logarithm_it_does_not():
    X, y = draw(lambda rng, n: 1.5 * rng.normal(size=n))
    models = {"single-task": SingleTaskRegressor, "mean-regularized": MeanRegularizedRegressor}
    logs = {n: ScaledTargetRegressor(m(task="task"), transform="log") for n, m in models.items()}
    found = compare_tasks(logs, X, np.exp(y), task="task")
    assert ROBUST not in set(found.models["name"])
