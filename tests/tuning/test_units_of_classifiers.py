"""Tuned classifiers on columns in bytes, Julian days and millionths, and on scaled columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import polytask

UNITS = [(8e10, 1e9), (2_459_000.0, 400.0), (2e-5, 1e-6)]  # mean and standard deviation
MODELS = ["Pooled", "SingleTask", "MeanRegularized", "LowRank", "JointFeatures", "Curved"]


def world(seed, n=480, tasks=8):
    """Features whose means are zero and deviations one in the first half, ids and labels."""
    rng = np.random.default_rng(seed)
    Z, task = rng.normal(size=(n, 3)), rng.integers(tasks, size=n)
    Z = (Z - Z[: n // 2].mean(axis=0)) / Z[: n // 2].std(axis=0)
    W = np.array([1.5, -1.0, 0.5]) + 0.5 * rng.normal(size=(tasks, 3))
    chance = 1 / (1 + np.exp(-0.3 - (Z * W[task]).sum(axis=1)))
    return Z, task, np.where(rng.random(n) < chance, "yes", "no")


def loss(name, X, task, y):
    """Log-loss of the second half by a model of the first."""
    table, half = pd.DataFrame(X, columns=list("abc")).assign(task=task), len(y) // 2
    model = getattr(polytask, f"{name}Classifier")(task="task").fit(table[:half], y[:half])
    return log_loss(y[half:], model.predict_proba(table[half:]))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_unit_of_all_columns_is_nothing_to_a_tuned_classifier(name, seed):
    """Far features are taken about their mean over tasks of one weight, near ones as they are."""
    Z, task, y = world(seed)
    scaled, far = (loss(name, Z + mean, task, y) for mean in (0.0, 100.0))
    assert scaled < 0.62
    assert far == pytest.approx(scaled, abs=0.005)
    assert loss(name, 1e9 * Z, task, y) == pytest.approx(scaled, abs=1e-6)
    for mean, deviation in UNITS:
        assert loss(name, mean + deviation * Z, task, y) == pytest.approx(far, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_units_that_differ_are_said(name):
    """One strength cannot serve bytes and millionths, unless the penalty does not know units."""
    Z, task, y = world(2)
    X = np.column_stack([m + s * z for (m, s), z in zip(UNITS, Z.T, strict=True)])
    if name == "Pooled":  # which also tries no penalty
        assert loss(name, X, task, y) < loss(name, Z, task, y) + 0.01
        return
    if name == "Curved":
        assert loss(name, X, task, y) == pytest.approx(loss(name, Z, task, y), abs=1e-4)
        return
    with pytest.warns(UserWarning, match="standard deviations of a like size"):
        loss(name, X, task, y)
