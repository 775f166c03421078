"""Differences between models that all predict the target but for rounding are none."""

import numpy as np
import pandas as pd
import pytest

from polytask.inspection import compare_tasks

MODELS = dict.fromkeys(["single-task", "pooled", "task-intercept"])


def sums(noise=0.0, level=0.0):
    """Two parts, and the target that is their sum."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(1, 900, size=(200, 2)), columns=["food", "drinks"])
    y = X["food"] + X["drinks"] + level + noise * rng.normal(size=200)
    return X.assign(shop=np.arange(200) % 10), y.rename("total")


@pytest.mark.parametrize(
    ("metric", "level"),
    [
        ("rmse", 0.0),
        ("nmse", 1e9),
        *(
            pytest.param(*more, marks=pytest.mark.slow)
            for more in [("rmse", 1e9), ("mae", 0.0), ("mae", 1e9), ("nmse", 0.0)]
        ),
    ],
)
def test_nothing_is_proved_of_rounding(metric, level):
    X, y = sums(level=level)
    found = compare_tasks(MODELS, X, y, task="shop", cv=3, metric=metric)
    assert found.verdict.label == "no-clear-gain"
    assert (found.verdict.gain.low, found.verdict.gain.value, found.verdict.gain.high) == (0, 0, 0)
    assert "but for rounding" in found.verdict.text
    assert "1,000,000 %" not in found.verdict.text.split("as exactly as")[0]
    same = found.models["role"] != "means"
    assert (
        (found.models.loc[same, ["n_better", "n_worse", "n_gains", "n_harmed"]] == 0)
        .to_numpy()
        .all()
    )
    assert "e+" not in found.verdict.text
    assert max(map(len, found.verdict.text.split())) < 20  # no numbers of thirty digits


def test_what_is_more_than_rounding_is_told_as_ever():
    """A millionth of the target's deviation is a difference."""
    X, y = sums(noise=1e-4)
    found = compare_tasks(MODELS, X, y, task="shop", cv=3)
    assert found.verdict.gain.low < found.verdict.gain.high
    assert "rounding" not in found.verdict.text
    assert found.verdict.gain.value > 0.01  # pooled has fewer coefficients to learn
