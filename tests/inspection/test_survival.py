"""Comparisons of Cox models: what a row loses, against the definitions; folds; planted truth."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from polytask import MeanRegularizedSurvival, PooledSurvival, SingleTaskSurvival
from polytask.inspection import NewTasks, TaskRelatedness, compare_tasks
from polytask.inspection.deal import deal
from polytask.inspection.sample import read_sample
from polytask.inspection.survival_scores import survival_scores
from polytask.model_selection import (
    METRICS,
    concordance,
    integrated_brier_score,
    partial_deviance,
    task_scorer,
)
from polytask.responses import Cox


def wards(m=8, n=25, spread=0.3, seed=0):
    """Features and a text task column; (time, event) of which a third is censored."""
    rng = np.random.default_rng(seed)
    ward, X = np.repeat(np.arange(m), n), rng.normal(size=(m * n, 3))
    W = np.array([1.0, -0.6, 0.0]) + spread * rng.normal(size=(m, 3))
    event = rng.exponential(np.exp(-(X * W[ward]).sum(axis=1)) * (1 + ward % 3))
    censored = rng.exponential(4.0, size=m * n)
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(ward=[f"w{k}" for k in ward])
    y = pd.DataFrame({"days": np.minimum(event, censored), "died": (event <= censored) * 1})
    return table, y


def log_likelihood(time, event, f):
    """Breslow's log partial likelihood, by its definition."""
    return sum(f[j] - np.log(np.exp(f[time >= time[j]]).sum()) for j in np.flatnonzero(event))


def test_partial_deviance_is_what_a_row_adds_to_the_likelihood():
    rng = np.random.default_rng(0)
    time, event = np.ceil(10 * rng.exponential(size=40)) / 10, rng.random(40) < 0.7
    f = rng.normal(size=40) + 30.0
    train, test = np.arange(40) < 30, np.arange(40) >= 30
    found = partial_deviance(time[train], event[train], f[train], time[test], event[test], f[test])
    base = log_likelihood(time[train], event[train], f[train])
    for value, j in zip(found, np.flatnonzero(test), strict=True):
        both = np.append(np.flatnonzero(train), j)
        more = log_likelihood(time[both], event[both], f[both]) - base
        assert value == pytest.approx(-2 * more, rel=1e-9)
    level = partial_deviance(
        time[train], event[train], f[train] - 99, time[test], event[test], f[test] - 99
    )
    np.testing.assert_allclose(found, level, rtol=1e-9)


def test_scores_of_a_fold_are_the_definitions():
    X, y = wards()
    sample = read_sample(X, y, "ward", Cox())
    fold = deal(sample, 5, 1, 0)[0]
    rows, held = X.iloc[fold.train], X.iloc[fold.test]
    model = PooledSurvival(0.01, task="ward").fit(rows, y.iloc[fold.train])
    scores = survival_scores(model, sample, rows, fold.train, held, fold.test)
    time, event = y.to_numpy().T
    times = np.quantile(time, np.linspace(0.05, 0.9, 18))
    expected = integrated_brier_score(
        time[fold.train], event[fold.train], time[fold.test], event[fold.test],
        model.predict_survival(held, times), times,
    )  # fmt: skip
    assert scores[:, 2].mean() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(scores[:, 1], model.predict(held))
    wrapped = make_pipeline(FunctionTransformer(), PooledSurvival(0.01, task="ward"))
    again = wrapped.fit(rows, y.iloc[fold.train])
    np.testing.assert_allclose(
        survival_scores(again, sample, rows, fold.train, held, fold.test), scores
    )


def test_related_wards_gain_and_the_tables_say_so():
    X, y = wards(m=6, n=15, seed=1)
    found = compare_tasks(None, X, y, task="ward", cv=3)
    names = {"single-task", "pooled", "task-intercept", "mean-regularized", "task-means"}
    assert set(found.models["name"]) == names
    assert found.kind == "survival"
    assert found.target == "days"
    assert "stratified by event" in found.provenance.splitter
    assert found.data.target_mean is None
    by = found.models.set_index("name")
    assert by.loc["mean-regularized", "gain"] > 0
    assert by.loc["task-means", "concordance_tasks"] == 0.5
    assert by.loc["task-means", "title"] == "Task curves"
    assert by.loc["pooled", "integrated_brier_rows"] < by.loc["task-means", "integrated_brier_rows"]
    assert found.loss_title == "partial deviance"
    models = {"single-task": SingleTaskSurvival(0.1, task="ward"),
              "pooled": PooledSurvival(0.1, task="ward")}  # fmt: skip
    other = compare_tasks(models, X, y, task="ward", metric="integrated_brier_rows")
    assert other.loss_title == "integrated Brier score"
    assert other.models["metric"].max() < 0.25


def test_order_of_rows_and_units_of_time_are_no_matter():
    X, y = wards(m=4, n=16)
    models = {"single-task": SingleTaskSurvival(0.1, task="ward"),
              "pooled": PooledSurvival(0.1, task="ward")}  # fmt: skip
    here = compare_tasks(models, X, y, task="ward", cv=4)
    years = compare_tasks(models, X, y.assign(days=y["days"] / 365.25), task="ward", cv=4)
    columns = ["metric", "gain", "concordance_tasks", "integrated_brier_tasks"]
    np.testing.assert_allclose(here.models[columns], years.models[columns], rtol=1e-6)


def test_a_single_event_stays_in_training():
    X, y = wards(m=4, n=12)
    y.loc[X["ward"] == "w1", "died"] = 0
    y.loc[X.index[X["ward"] == "w1"][5], "died"] = 1
    sample = read_sample(X, y, "ward", Cox())
    for fold in deal(sample, 4, 1, 0):
        events = np.bincount(sample.codes[fold.train], sample.y[fold.train] > 0, 4)
        assert (events > 0).all()
        assert len(fold.train) + len(fold.test) == 48
        assert not np.isin(fold.test, fold.train).any()
    models = {"single-task": SingleTaskSurvival(0.1, task="ward"),
              "pooled": PooledSurvival(0.1, task="ward")}  # fmt: skip
    found = compare_tasks(models, X, y, task="ward", cv=4)
    assert (found.models["status"] == "ok").all()


def test_groups_and_time_hold_rows_out_together():
    X, y = wards(m=4, n=20)
    y.loc[X["ward"] == "w1", "died"] = 0
    y.loc[X.index[X["ward"] == "w1"][-1], "died"] = 1
    models = {"single-task": SingleTaskSurvival(0.1, task="ward"),
              "pooled": PooledSurvival(0.1, task="ward")}  # fmt: skip
    for held in ({"groups": np.arange(80) // 4}, {"time": np.tile(np.arange(20), 4)}):
        found = compare_tasks(models, X, y, task="ward", cv=3, **held)
        assert (found.models["status"] == "ok").all()


def test_concordance_as_a_metric_and_a_scorer():
    X, y = wards(m=3)
    time, event = y.to_numpy().T
    signed, code = np.where(event == 1, time, -time), X["ward"].str[1:].astype(int).to_numpy()
    model = MeanRegularizedSurvival(0.1, task="ward").fit(X, y)
    risk = model.predict(X)
    each = concordance(time, event, risk, code)
    metric = METRICS["concordance"]
    np.testing.assert_array_equal(metric.per_task(signed, risk, code), each)
    assert task_scorer("concordance", task="ward")(model, X, y) == pytest.approx(each.mean())
    pairs = [METRICS["concordance"].per_task(signed, risk, code)]
    whole = metric.pooled(signed, risk, code)
    assert pairs[0].min() < whole < pairs[0].max()  # pairs inside wards only
    shifted = risk + 10.0 * code
    assert metric.pooled(signed, shifted, code) == pytest.approx(whole)
    weight = np.where(code == 1, 1.0, 1e-12)
    assert metric.pooled(signed, risk, code, weight) == pytest.approx(each[1])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda X, y: task_scorer("integrated_brier"), "needs the training rows"),
        (lambda X, y: TaskRelatedness.from_data(X, y, task="ward"), "times to an event"),
        (lambda X, y: NewTasks.from_data(None, X, y, task="ward"), "times to an event"),
        (lambda X, y: compare_tasks(None, X, y, task="ward", metric="rmse"), "for survival"),
        (lambda X, y: compare_tasks(None, X, y.assign(days=0), task="ward"), "got 0 in row 0"),
    ],
)
def test_what_is_refused_is_a_sentence(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(*wards(m=3))


def test_a_model_without_curves_is_a_line_of_the_report():
    from sklearn.linear_model import LinearRegression

    X, y = wards(m=3)
    models = {"single-task": SingleTaskSurvival(0.1, task="ward"), "other": LinearRegression()}
    found = compare_tasks(models, X.assign(ward=X["ward"].str[1:].astype(int)), y, task="ward")
    assert "predict_survival" in found.models.set_index("name").loc["other", "reason"]
