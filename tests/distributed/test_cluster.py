"""A fit on a cluster is the fit in this process, whatever happens to workers."""

import os
import signal

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import distributed
from polytask import (
    CurvedRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultilevelRegressor,
    PooledClassifier,
    PooledRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
)
from polytask.inspection import compare_parquet, compare_tasks, sample
from polytask.sources.dask.active import active_client
from polytask.sources.prepare import StreamPreparer
from tests.sources.conftest import summing_up

STRENGTHS = {"alpha": 0.01, "alpha_common": 0.001, "alpha_intercept": 0.02}


@pytest.fixture(autouse=True)
def summed():
    """Files are summed up, however few their rows: many passes, and several partitions."""
    with summing_up():
        yield


def regressor(**options):
    return MeanRegularizedRegressor(task="task", **(STRENGTHS | options))


def classifier(**options):
    return MeanRegularizedClassifier(task="task", **(STRENGTHS | options))


def test_regressor_equals_fit(client, numbers):
    folder, X, y = numbers
    here = regressor().fit(X, y)
    there = regressor().fit_parquet(folder, target="y", client=client)
    assert_allclose(there.coef_, here.coef_, rtol=1e-10)
    assert_allclose(there.predict(X), here.predict(X), rtol=1e-9)


def test_curves_equal_fit(client, numbers):
    folder, X, y = numbers
    here = CurvedRegressor(n_knots=5, task="task").fit(X, y)
    there = CurvedRegressor(n_knots=5, task="task").fit_parquet(folder, target="y", client=client)
    assert_allclose(there.predict(X), here.predict(X), atol=1e-6)


def test_nested_groupings_equal_fit(client, numbers, tmp_path):
    _, X, y = numbers
    X = X.assign(group=np.arange(len(X)) % 3)
    for k in range(3):
        X.assign(y=y)[k::3].to_parquet(tmp_path / f"{k}.parquet")
    here = MultilevelRegressor(task="task/group", varying=[]).fit(X, y)
    there = MultilevelRegressor(task="task/group", varying=[])
    there.fit_parquet(tmp_path, target="y", client=client)
    assert_allclose(there.predict(X), here.predict(X), rtol=1e-9)
    assert_allclose(there.deviance_, here.deviance_, rtol=1e-10)


def test_classifier_equals_fit(client, labels):
    folder, X, y = labels
    here = classifier().fit(X, y)
    there = classifier().fit_parquet(folder, target="y", client=client)
    assert_allclose(there.coef_, here.coef_, rtol=1e-6)
    assert there.violation_ <= there.tol


def test_strength_is_chosen_alike_here_and_there(client, numbers):
    folder, _, _ = numbers
    model = PooledRegressor(task="task")
    here = model.fit_parquet(folder, target="y", client=False)
    chosen, scores = here.alpha_, here.cv_scores_
    there = model.fit_parquet(folder, target="y", client=client)
    assert_allclose(there.alpha_, chosen)
    assert_allclose(there.cv_scores_, scores, rtol=1e-9)


def test_preparer_is_fitted_on_the_cluster(client, numbers):
    folder, X, _ = numbers
    prepare = StreamPreparer(task="task")
    model = regressor().fit_parquet(folder, target="y", prepare=prepare, client=client)
    again = StreamPreparer(task="task").fit(X)
    assert_allclose(prepare.transform(X), again.transform(X), rtol=1e-9, atol=1e-12)
    assert model.coef_.shape == (12, 5)


def test_the_active_client_is_used_without_being_named(cluster, numbers):
    folder, _, _ = numbers
    told = []
    with distributed.Client(cluster) as client:
        before = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.task_prefixes))
        regressor().fit_parquet(folder, target="y", progress=lambda *news: told.append(news))
        names = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes))
    assert before >= 0
    assert {"sum_partition", "merge_parts"} <= set(names)
    assert [what for what, _, _ in told] == ["tasks and targets"] * 9 + ["moments"] * 9
    assert told[-1][1] == told[-1][2]


def test_a_client_that_never_met_a_scheduler_is_not_the_active_one(cluster):
    """Dask keeps it as the default one, as long as a traceback holds it."""
    with pytest.raises(ValueError, match="port") as raised:
        distributed.Client("no-port")
    assert active_client() is None
    runs = distributed.Client(cluster)
    try:
        with pytest.raises(ValueError, match="port") as again:
            distributed.Client("tcp://")
        assert active_client() is runs
    finally:
        runs.close()
    assert {raised.type, again.type} == {ValueError}
    assert active_client() is None


@pytest.mark.slow
def test_killed_workers_change_nothing(numbers, labels):
    """A worker is killed in the first pass of each fit; two of three are dead at the end."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with (
        distributed.LocalCluster(n_workers=3, **options) as frail,
        distributed.Client(frail, set_as_default=False) as client,
    ):
        victims = list(client.run(os.getpid).values())
        for folder, make in ((numbers[0], regressor), (labels[0], classifier)):
            here = make().fit_parquet(folder, target="y", client=False)
            alive = len(victims)

            def kill_once(what, done, total, alive=alive):
                if len(victims) == alive:
                    os.kill(victims.pop(), signal.SIGKILL)

            there = make().fit_parquet(folder, target="y", client=client, progress=kill_once)
            assert len(victims) == alive - 1
            assert_allclose(there.coef_, here.coef_, rtol=1e-9)


def test_bad_rows_are_reported_as_they_would_be_here(client, numbers, tmp_path):
    _, X, y = numbers
    rows = X.assign(y=y)
    rows.loc[3, "x1"] = np.nan
    rows.to_parquet(tmp_path / "holes.parquet")
    model = regressor()
    with pytest.raises(ValueError, match=r"NaN or infinity in column 'x1'.*StreamPreparer"):
        model.fit_parquet(tmp_path, target="y", client=client)
    assert not hasattr(model, "coef_")


def test_compare_over_the_cluster(cluster, numbers):
    """joblib's Dask backend is enough: the same but for the clock.

    And for the last digits, where one process has loaded numba and the other has not.
    """
    _, X, y = numbers
    estimators = {
        "single-task": SingleTaskRegressor(0.01, task="task"),
        "mean-regularized": regressor(),
    }
    here = compare_tasks(estimators, X, y, task="task", cv=2).to_dict()
    with distributed.Client(cluster) as client, joblib.parallel_config("dask"):
        there = compare_tasks(estimators, X, y, task="task", cv=2, n_jobs=-1).to_dict()
        ran = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes))
    assert any("_fit" in name for name in ran)
    for name in ("models", "folds"):
        for a, b in zip(here[name], there[name], strict=True):
            assert a.keys() == b.keys()
            for key in (k for k in a if "seconds" not in k):
                exact = not isinstance(a[key], float)
                assert a[key] == (b[key] if exact else pytest.approx(b[key], rel=1e-10, abs=1e-12))


def test_strength_of_a_classifier_is_chosen_alike(client, labels):
    folder, _, _ = labels
    model = PooledClassifier(task="task")
    chosen = model.fit_parquet(folder, target="y", client=False).alpha_
    assert_allclose(model.fit_parquet(folder, target="y", client=client).alpha_, chosen)


@pytest.mark.parametrize("kind", ["numbers", "labels"])
def test_a_comparison_is_the_same_in_memory_here_and_on_the_cluster(
    client, kind, request, monkeypatch
):
    """The same folds, scaled in each training part, whoever holds which rows."""
    monkeypatch.setattr(sample, "row_order", lambda X, *_: np.arange(len(X)))  # as files are dealt
    folder, X, y = request.getfixturevalue(kind)
    models = {"single-task": SingleTaskRegressor(0.01, task="task"), "joint": regressor()}
    if kind == "labels":
        models = {
            "single-task": SingleTaskClassifier(0.01, task="task", tol=1e-12),
            "joint": classifier(tol=1e-12),
        }
    prepare = StreamPreparer("task")
    piped = {name: make_pipeline(prepare, model) for name, model in models.items()}
    memory = compare_tasks(piped, X, pd.Series(y, name="y"), task="task", cv=3)
    for where in (False, client):
        found = compare_parquet(
            models, folder, task="task", target="y", prepare=clone(prepare), cv=3, client=where
        ).comparison
        assert found.verdict.text == memory.verdict.text
        for frame, columns in (("models", ["metric", "low", "high", "gain_low", "gain_high"]),
                               ("gains", ["gain", "low", "high", "shrunken", "q"])):  # fmt: skip
            one, two = (getattr(each, frame)[columns] for each in (found, memory))
            assert_allclose(one, two, rtol=1e-6, atol=1e-9)
