"""The mean of each task is a baseline of every comparison."""

import numpy as np
import pandas as pd
import pytest

from polytask.inspection import compare_tasks
from polytask.inspection.clear import is_clear
from polytask.inspection.task_means import TASK_MEANS, TaskMeans
from tests.inspection.helpers import table

MODELS = dict.fromkeys(["single-task", "pooled", "mean-regularized"])
SAID = "nothing clearly beats the mean of each task"


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_where_the_features_are_noise_the_verdict_says_that_nothing_beats_the_mean(seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    X["town"] = np.repeat(np.arange(20), 15)
    found = compare_tasks(MODELS, X, rng.normal(size=300), task="town")
    assert SAID in found.verdict.text
    assert not is_clear(found.verdict.gain_over_means)
    means = found.models.set_index("name").loc[TASK_MEANS]
    assert means["role"] == "means"
    assert means["metric"] == pytest.approx(found.models["metric"].min(), rel=0.02)


def test_where_features_tell_something_nothing_is_said():
    X, y = table("related", m=12, n=15)
    found = compare_tasks({"single-task": None, "pooled": None}, X, y, task="task")
    assert SAID not in found.verdict.text
    assert found.verdict.gain_over_means.low > 0.2


def test_labels_and_counts_have_means_that_no_row_refutes():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=200), "task": np.repeat(np.arange(10), 20)})
    y = np.where(X["task"] == 0, 0, rng.integers(0, 3, 200))
    shares = TaskMeans("task", classify=True, least=0.5).fit(X, y).predict_proba(X)
    assert shares.min() > 0
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    found = compare_tasks(
        {"single-task": None, "pooled": None}, X, (y > 0).astype(int), task="task"
    )
    assert np.isfinite(found.models.set_index("name").loc[TASK_MEANS, "metric"])
    assert SAID in found.verdict.text


def test_the_weight_of_a_mean_is_that_of_a_one_way_random_effect():
    rng = np.random.default_rng(1)
    level, n = 2.0 * rng.normal(size=3000), 5
    task = np.repeat(np.arange(3000), n)
    y = level[task] + 3.0 * rng.normal(size=task.size)
    model = TaskMeans(0).fit(task[:, None], y)
    assert model.pull_ == pytest.approx(9 / 4, rel=0.1)
    best = np.mean((level - model.means_[:, 0]) ** 2)
    assert best == pytest.approx(1 / (1 / 4 + n / 9), rel=0.1)
    assert model.predict(np.array([[-7]]))[0] == pytest.approx(y.mean())
