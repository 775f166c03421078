"""Tasks that can prove nothing: one class, a constant target, a rare class that they miss."""

import numpy as np
import pandas as pd
import pytest

from polytask.inspection import NewTasks, compare_tasks
from polytask.responses.row_losses import CLASS_LOG, LOG
from polytask.sources.loss_totals import excess_sums, expected_products


def wards(seed, m, n, slope=1.0):
    """Labels of one law in every ward, 3 % ones."""
    rng = np.random.default_rng(seed)
    ward, X = np.repeat(np.arange(m), n), rng.normal(size=(m * n, 3))
    y = (rng.random(m * n) < 1 / (1 + np.exp(4 - slope * X[:, 0]))).astype(int)
    return pd.DataFrame(X, columns=list("abc")).assign(ward=ward), y


def test_the_true_model_harms_no_ward_that_holds_few_of_a_rare_class():
    called = 0
    for seed in (11, 12):
        X, y = wards(seed, 20, 60)
        found = compare_tasks({"single-task": None, "pooled": None}, X, y, task="ward")
        called += int((found.tasks["label"] == "harmed").sum())
        assert found.verdict.label != "mixed"
    assert called == 0


def test_a_task_of_one_class_is_undecided_and_has_no_interval():
    rng = np.random.default_rng(1000)
    ward, x, level = rng.integers(0, 30, 1500), rng.normal(size=(1500, 3)), rng.normal(size=30)
    event = (rng.random(1500) < 1 / (1 + np.exp(5 - 1.2 * x[:, 0] - level[ward]))).astype(int)
    X = pd.DataFrame(x, columns=list("abc")).assign(ward=ward)
    found = compare_tasks({"single-task": None, "task-intercept": None}, X, event, task="ward")
    events = found.tasks["task"].astype(int).map(pd.Series(event).groupby(ward).sum())
    without = found.tasks[events == 0]
    assert len(without) >= 5
    assert (without["label"] == "undecided").all()
    assert without[["low", "high", "p", "q"]].isna().all(axis=None)
    assert np.isfinite(without[["gain", "shrunken", "shrunken_low"]]).all(axis=None)
    assert found.tasks.loc[events > 1, "low"].notna().all()


def test_a_constant_target_inside_a_task_proves_nothing_of_it():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(6), 20)
    X = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"]).assign(task=task)
    y = X["a"] + 0.5 * rng.normal(size=120)
    y[task == 4] = 7.0
    found = compare_tasks({"single-task": None, "pooled": None}, X, y, task="task")
    flat = found.tasks.set_index("task").loc[4]
    assert flat["label"] == "undecided"
    assert np.isnan(flat["low"])
    assert flat["gain"] < 0


@pytest.mark.parametrize("labels", [True, False])
def test_a_target_that_is_constant_inside_every_task_is_refused_with_the_remedy(labels):
    rng = np.random.default_rng(6)
    who = np.repeat(np.arange(24), 8)
    of_who = rng.integers(0, 2, 24) if labels else rng.normal(300, 80, 24)
    X = pd.DataFrame(rng.normal(size=(192, 3)), columns=list("abc")).assign(who=who)
    with pytest.raises(ValueError, match=r"y must vary inside a task.*Aggregate.*NewTasks"):
        compare_tasks(None, X, of_who[who], task="who")
    models = {"single-task": None, "pooled": None}
    found = NewTasks.from_data(models, X, of_who[who], task="who", n_support=(0, 2))
    assert "of new tasks" in found.text or "new task" in found.text.lower()


def test_the_expected_variance_is_that_of_labels_of_the_models_law():
    rng = np.random.default_rng(0)
    q, other = np.full(200_000, 0.03), np.full(200_000, 0.05)
    y = (rng.random(q.size) < (q + other) / 2).astype(float)
    code, probability = np.zeros(q.size, dtype=int), np.stack([q, other])
    mean, products, _ = excess_sums(LOG.of(y, probability), code, 1)
    seen = products[0] / q.size - np.outer(mean[0], mean[0]) / q.size**2
    expected = expected_products(probability, LOG, code, 1)[0] / q.size
    np.testing.assert_allclose(expected, seen, rtol=0.05)
    classes = np.stack([1 - probability, probability], axis=2)
    np.testing.assert_allclose(expected_products(classes, CLASS_LOG, code, 1)[0] / q.size, expected)
    step = np.log(0.05 / 0.95) - np.log(0.03 / 0.97)
    assert expected[1, 1] == pytest.approx(0.04 * 0.96 * step**2)
