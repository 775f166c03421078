"""What is kept beside data goes when the data go."""

import gc

import pytest

from polytask import (
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedClassifier,
)
from polytask.data.kept import _KEPT, kept
from polytask.datasets import make_low_rank_tasks
from polytask.responses import Squared
from tests.low_rank.problems import make_data


def test_it_is_made_once(rng):
    data, calls = make_data(rng, Squared(), m=3, d=2, n=5), []
    for _ in range(2):
        assert kept(data, ("a", 1), lambda: calls.append(1) or "made") == "made"
    assert kept(data, ("a", 2), lambda: "other") == "other"
    assert len(calls) == 1


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedRegressor(task="task"),
        LowRankRegressor(task="task"),
        LowRankRegressor(0.1, penalty="rank", task="task"),
        LowRankClassifier(0.01, max_rank=1, task="task"),
        ProjectedLowRankRegressor(0.01, n_components=2, task="task"),
        ProjectedMeanRegularizedClassifier(0.01, n_components=2, task="task"),
    ],
    ids=repr,
)
def test_a_fit_leaves_nothing_behind(model):
    gc.collect()
    before = len(_KEPT)
    classes = type(model).__name__.endswith("Classifier")
    X, y, _ = make_low_rank_tasks(6, 4, 20, rank=2, classification=classes, random_state=0)
    model.fit(X, y)
    gc.collect()
    assert len(_KEPT) == before
