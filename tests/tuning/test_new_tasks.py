"""Answers for tasks that were not in training."""

import numpy as np
import pandas as pd
import pytest

import polytask
from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor, PooledRegressor
from polytask.data import make_task_data, read_rows, read_target
from polytask.datasets import make_related_tasks
from polytask.models.registry import formulations
from polytask.responses import Logistic, Squared
from polytask.solvers import select
from polytask.tuning.new_tasks import _LeaveTaskOut


def task_data(estimator, X, y):
    rows = read_rows(estimator, X, reset=True)
    target, names = read_target(estimator, y)
    return make_task_data(estimator, rows, estimator._encode(target), names, None)


@pytest.mark.parametrize(
    ("estimator", "loss", "rtol"),
    [(MeanRegularizedRegressor, Squared(), 1e-8), (MeanRegularizedClassifier, Logistic(), 0.01)],
)
def test_risk_is_that_of_fits_without_each_task(estimator, loss, rtol, rng):
    X, y, _ = make_related_tasks(8, 3, (6, 30), random_state=1)
    if loss.has_labels:
        y = (y + rng.normal(size=len(y)) > 0).astype(int)
    data = task_data(estimator(task="task", task_weight="equal"), X, y)
    left_out = _LeaveTaskOut(data, loss, 100)
    at = {"alpha": 0.05, "level": 0.02, "common": 0.003}
    total = 0.0
    for i in range(8):
        held = data.code == i
        part = data.subset(~held)
        # the others weigh what they weighed, 1/m each: strengths grow by the renewed shares
        more = {name: value * 8 / 7 for name, value in at.items()}
        other = _LeaveTaskOut(part, loss, 100)
        other.size = left_out.size
        problem = other.problem(more)
        common = select(problem).solve(problem, None, 1e-10, 100).blocks["common"]
        f = data.design.predict(np.broadcast_to(common, (8, 4)))[held]
        total += float(data.weight[held] @ loss.value(data.y[held], f))
    assert left_out.risks([at])[0] == pytest.approx(total, rel=rtol)


def test_rates_of_a_new_shop_are_near_the_pooled_ones():
    """Each shop can be learned alone; the w0 chosen for them told a new one 17 % for .48, .90."""
    table = {
        "a": (2, 6, 0, 18), "b": (3, 9, 1, 19), "c": (4, 2, 5, 30), "d": (2, 5, 3, 12),
        "e": (5, 0, 2, 11), "f": (1, 9, 0, 14), "g": (16, 0, 1, 7),
    }  # fmt: skip
    cells = [(0, 0), (0, 1), (1, 0), (1, 1)]
    rows = [
        (s, x, y) for s, n in table.items() for (x, y), k in zip(cells, n, strict=True)
        for _ in range(k)
    ]  # fmt: skip
    D = pd.DataFrame(rows, columns=["shop", "x", "y"]).astype({"x": float})
    new = pd.DataFrame({"x": [0.0, 1.0], "shop": "z"})
    model = MeanRegularizedClassifier(task="shop", unseen="common").fit(D[["x", "shop"]], D["y"])
    p = model.predict_proba(new)[:, 1]
    assert p[0] == pytest.approx(0.48, abs=0.08)
    assert p[1] == pytest.approx(0.90, abs=0.05)


@pytest.mark.parametrize("name", ["task-intercept", "single-task"])
def test_features_of_whole_tasks_answer_new_ones(name):
    """Soil is constant inside a farm: free levels of the farms took its effect of 2."""
    model = formulations()[name].regressor(task="farm", unseen="common")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        farm = np.repeat(np.arange(12), 8)
        soil, Z = (farm % 2) * 1.0, rng.normal(size=(len(farm), 6))
        y = 2.0 * soil + rng.normal(0, 0.3, 12)[farm] + rng.normal(0, 0.3, len(farm))
        X = pd.DataFrame(Z).rename(columns=str).assign(soil=soil, farm=farm)
        new = pd.DataFrame(np.zeros((2, 6))).rename(columns=str).assign(soil=[0.0, 1.0], farm=99)
        low, high = model.fit(X, y).predict(new)
        assert high - low > 1.5


def test_given_strengths_and_seen_tasks_are_left_alone():
    X, y, _ = make_related_tasks(6, 3, 20, random_state=0)
    given = MeanRegularizedRegressor(0.1, task="task", unseen="common").fit(X, y)
    assert not hasattr(given, "new_task_coef_")
    chosen = MeanRegularizedRegressor(task="task", unseen="common").fit(X, y)
    plain = MeanRegularizedRegressor(task="task").fit(X, y)
    np.testing.assert_array_equal(chosen.predict(X), plain.predict(X))
    np.testing.assert_array_equal(chosen.common_coef_, plain.common_coef_)
    two = X["task"] < 2
    few = MeanRegularizedRegressor(task="task", unseen="common").fit(X[two], y[two])
    assert not hasattr(few, "new_task_coef_")  # of two tasks, one would tell of the other


def test_reml_gives_way_where_its_common_part_predicts_new_tasks_worse():
    """The target bends and each task sees a piece: a mean of the tasks' own lines is no answer."""
    rng = np.random.default_rng(0)
    m, n = 60, 12
    center = rng.uniform(-3.0, 3.0, m)
    g = np.repeat(np.arange(m), n)
    x = center[g] + rng.normal(0, 0.3, m * n)
    y = np.abs(x) + 0.5 * x + rng.normal(0, 0.2, m * n)
    X, new = pd.DataFrame({"x": x, "g": g}), g >= 30
    error = {}
    for unseen in ("common", "error"):
        model = MeanRegularizedRegressor("reml", task="g", unseen=unseen).fit(X[~new], y[~new])
        model.unseen = "common"
        error[unseen] = np.mean((model.predict(X[new]) - y[new]) ** 2)
    pooled = PooledRegressor(task="g").fit(X[~new], y[~new])
    assert error["error"] > 1.03 * np.mean((pooled.predict(X[new]) - y[new]) ** 2)
    assert error["common"] < 1.03 * np.mean((pooled.predict(X[new]) - y[new]) ** 2)
    X, y, _ = make_related_tasks(40, 3, 20, random_state=0)
    stays = MeanRegularizedRegressor("reml", task="task", unseen="common").fit(X, y)
    assert not hasattr(stays, "new_task_coef_")  # no better beyond chance


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("n_tasks", [10, 40])
def test_new_tasks_get_the_better_of_pooled_and_reml(spread, n_tasks):
    """On average over draws at most 1 % behind the better of both, task by task left out."""
    errors = []
    for seed in range(8):
        r = np.random.default_rng(seed)
        m, new = n_tasks + 30, np.repeat(np.arange(n_tasks + 30), 12) >= n_tasks
        g, X = np.repeat(np.arange(m), 12), r.normal(size=(m * 12, 4))
        W = np.array([1.0, -1.0, 0.5, 0.0]) + spread * r.normal(size=(m, 4))
        y = (X * W[g]).sum(1) + spread * r.normal(size=m)[g] + r.normal(size=len(g))
        frame = pd.DataFrame(X).rename(columns=str).assign(g=g)
        models = (
            PooledRegressor(task="g"),
            MeanRegularizedRegressor("reml", task="g", unseen="common"),
            polytask.TaskInterceptRegressor(task="g", unseen="common"),
        )
        errors.append(
            [
                np.mean((model.fit(frame[~new], y[~new]).predict(frame[new]) - y[new]) ** 2)
                for model in models
            ]
        )
    pooled, reml, ours = np.mean(errors, axis=0)
    assert ours < 1.01 * min(pooled, reml)


def unequal_tasks(seed, spread):
    """Twelve tasks of 1 to 40 rows."""
    r = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), r.integers(1, 40, 12))
    x = r.normal(size=len(g)) + r.normal(size=12)[g]
    y = x + spread * r.normal(size=12)[g] * (1 + x) + 0.3 * r.normal(size=len(g))
    return pd.DataFrame({"x": x, "g": g}), y


def test_a_note_says_where_new_tasks_may_be_better_off_pooled():
    said = set()
    for seed in range(4):
        X, y = unequal_tasks(seed, 1.0)
        model = MeanRegularizedRegressor(task="g", unseen="common").fit(X, y)
        said |= set(getattr(model, "notes_", ()))
    assert said
    assert all(note.startswith("New tasks: ") and "pooled" in note for note in said)
    model.set_params(alpha=0.1).fit(X, y)  # nothing is left of the fit before
    assert not hasattr(model, "notes_")
    assert not hasattr(model, "new_task_coef_")


def test_the_figures_of_the_note_are_those_of_fits_without_each_task():
    X, y = unequal_tasks(0, 1.0)
    left_out = _LeaveTaskOut(
        task_data(MeanRegularizedRegressor(task="g", task_weight="size"), X, y), Squared(), 100
    )
    pooled, zero = np.zeros(12), np.zeros((12, 2))
    for i in range(12):
        held = (X["g"] == i).to_numpy()
        A = np.column_stack([X["x"], np.ones(len(y))])
        w = np.linalg.lstsq(A[~held], y[~held], rcond=None)[0]
        pooled[i] = 0.5 * ((A[held] @ w - y[held]) ** 2).sum() / len(y)
    strong = {"alpha": 1e4, "level": 1e4, "common": 0.0}
    worse = left_out.losses(zero)
    note = left_out.note(worse, strong, 12)
    assert f"pooled had {100 * (1 - pooled.sum() / worse.sum()):.0f} % less loss" in note
    lucky, steady = pooled.copy(), pooled - 0.02 * pooled.mean()
    lucky[pooled.argmax()] *= 0.5  # a single task tells: one standard error
    assert "1.0 standard errors" in left_out.note(lucky, strong, 12)
    assert left_out.note(steady, strong, 12) is None
    assert left_out.note(pooled, strong, 12) is None
