"""Huber's loss is compared where residuals have heavy tails, and only there."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, ScaledTargetRegressor, SingleTaskRegressor
from polytask.inspection import compare_tasks
from polytask.inspection.heavy_tails import is_heavy

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


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
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


@pytest.mark.parametrize(
    ("n", "df", "least", "most"),
    [(50, None, 0, 0.01), (112, None, 0, 0.01), (200, None, 0, 0.01), (112, 3, 0.6, 1)],
)
def test_few_normal_rows_are_seldom_taken_for_heavy_tails(n, df, least, most):
    """At a fixed bound of 1.5 seven of a hundred normal samples of 50 rows were, one of 112."""
    rng = np.random.default_rng(7)
    draws = rng.normal(size=(2000, n)) if df is None else rng.standard_t(df, size=(2000, n))
    assert least <= np.mean([is_heavy(row) for row in draws]) <= most
