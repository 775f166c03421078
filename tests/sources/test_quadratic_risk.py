"""Strengths of streamed classifiers: chosen about as refits on the same folds would choose."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from polytask import MeanRegularizedClassifier, SingleTaskClassifier, TaskInterceptClassifier
from polytask.data import TaskMoments, make_task_data, read_rows
from polytask.data.folds import task_folds
from polytask.data.held_rows import Folds
from polytask.data.many import FOLD_SEED
from polytask.responses import Logistic
from polytask.sources.loss_sums import sums_at_level
from polytask.sources.sums_job import cell_sums
from polytask.tuning import KFoldRisk, folds, loo
from tests.sources.conftest import summing_up

CLASSIFIERS = [MeanRegularizedClassifier, SingleTaskClassifier, TaskInterceptClassifier]


def test_sums_at_a_level_are_those_of_its_rows(rng):
    rows = rng.normal(size=(5, 3, 20))  # two features, ones, valid, y of three tasks
    rows[2], rows[-1] = 1.0, rng.random((3, 20)) < 0.2
    rows = np.concatenate([rows[:3], np.ones((1, 3, 20)), rows[-1:]])
    table = rows.transpose(1, 2, 0).reshape(60, 5)
    X = np.column_stack([table[:, :2], np.repeat([0, 1, 2], 20)])
    moments = TaskMoments.from_rows(X, table[:, -1], task=2)
    here = cell_sums(rows, np.tile([0.0, 0.0, -1.3], (3, 1)), Logistic())
    found = sums_at_level(moments, np.ones(1, dtype=bool), Logistic(), -1.3, intercept=True)
    for name, value in vars(here).items():
        assert_allclose(getattr(found, name), value, rtol=1e-12, atol=1e-13)


def rare(seed=0, n_tasks=20, n_rows=80):
    """Tasks that are alike, and one label in twelve is 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_tasks * n_rows, 4))
    task = np.repeat(np.arange(n_tasks), n_rows)
    W = rng.normal(size=4) + 0.5 * rng.normal(size=(n_tasks, 4))
    y = rng.random(len(X)) < expit((X * W[task]).sum(axis=1) - 3.5)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(task=task, y=y.astype(int))
    return frame.sample(frac=1.0, random_state=0, ignore_index=True)


def real(shared_data, name):
    frame = pd.read_parquet(shared_data / name / "data.parquet").rename(columns={"target": "y"})
    frame = frame.assign(y=(frame["y"] == frame["y"].max()).astype(int))
    X = frame.drop(columns=["task", "y"]).astype(float)
    X = (X - X.mean()) / X.std().where(X.std() > 0, 1.0)
    return X.assign(task=frame["task"], y=frame["y"]).sample(
        frac=1.0, random_state=0, ignore_index=True
    )


def excess_risk(kind, frame, folder, monkeypatch):
    """Held-out loss at the strengths chosen from a file over that at those of refits, minus 1."""
    frame.to_parquet(folder / "rows.parquet", row_group_size=len(frame))
    with summing_up():
        streamed = kind(task="task").fit_parquet(folder / "rows.parquet", target="y", client=False)
    X, y = frame.drop(columns="y"), frame["y"].to_numpy()
    _, code = np.unique(frame["task"], return_inverse=True)
    order = np.argsort(code, kind="stable")
    dealt = np.maximum(task_folds(code[order], 5, FOLD_SEED, y[order]), 0)
    monkeypatch.setattr(folds, "held_out_folds", lambda data, n_splits: Folds(dealt))
    monkeypatch.setattr(loo, "few_labels", lambda data, loss: True)  # refits, not one Newton step
    exact = kind(task="task").fit(X, y)
    model = kind(task="task")
    data = make_task_data(model, read_rows(model, X, reset=True), y.astype(float), None, None)
    risk = KFoldRisk(data, 5, 1e-6, 100)
    risks = [
        risk(lambda part, fit=fit: fit._make_problem(part, Logistic(), strengths_of(fit)))
        for fit in (streamed, exact)
    ]
    return risks[0] / risks[1] - 1.0


def strengths_of(model):
    return {n: getattr(model, f"{n}_") for n in model.get_params() if n.startswith("alpha")}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_strengths_for_rare_labels(kind, tmp_path, monkeypatch):
    assert excess_risk(kind, rare(), tmp_path, monkeypatch) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", ["landmine", "contraception"])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_strengths_for_real_labels(kind, name, shared_data, tmp_path, monkeypatch):
    assert excess_risk(kind, real(shared_data, name), tmp_path, monkeypatch) < 0.01
