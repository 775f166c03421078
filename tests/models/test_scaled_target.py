"""Targets in units of each task, and their logarithms: learned in training, undone in predict."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

import polytask
from polytask import (
    AutoMultiTaskRegressor,
    CurvedRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    ScaledTargetRegressor,
    SingleTaskRegressor,
)
from polytask.inspection import compare_tasks
from polytask.inspection.roles import role_of
from polytask.model_selection import TaskKFold
from polytask.models.scaled_target import may_take_log


def assays(seed, n=15):
    """Twenty assays of one kind, in units 1 to 1000; and the units."""
    rng = np.random.default_rng(seed)
    assay, unit = np.repeat(np.arange(20), n), 10 ** np.linspace(0, 3, 20)
    W = np.array([1, -1, 0.5, 0.8]) + 0.25 * rng.normal(size=(20, 4))
    X = rng.normal(size=(len(assay), 4))
    y = unit[assay] * ((X * W[assay]).sum(axis=1) + rng.normal(size=len(assay)))
    return pd.DataFrame(X, columns=list("abcd")).assign(assay=assay), y, W, unit


def excess(model, seed):
    """Error of a fit beyond the noise, by assay, in the noise's variance."""
    X, y, W, unit = assays(seed)
    rng = np.random.default_rng(seed + 100)
    assay, Z = np.repeat(np.arange(20), 200), rng.normal(size=(4000, 4))
    new = pd.DataFrame(Z, columns=list("abcd")).assign(assay=assay)
    error = model.fit(X, y).predict(new) / unit[assay] - (Z * W[assay]).sum(axis=1)
    return np.bincount(assay, error**2) / 200


@pytest.mark.parametrize("seed", [1, 2])
def test_assays_in_units_of_their_own_learn_together(seed):
    joint = MeanRegularizedRegressor(task="assay")
    alone = excess(SingleTaskRegressor(task="assay"), seed)
    assert excess(joint, seed).max() > 50 * alone.max()  # the units of the largest
    scaled = excess(ScaledTargetRegressor(joint, scale="task"), seed)
    assert scaled.mean() < 0.7 * alone.mean()
    assert scaled.max() < alone.max()


def test_auto_gives_each_assay_at_worst_its_single_task_error():
    names = ["single-task", "pooled", "mean-regularized"]
    auto = AutoMultiTaskRegressor(names, task="assay")
    alone = excess(SingleTaskRegressor(task="assay"), 1)
    scaled = excess(ScaledTargetRegressor(auto, scale="task"), 1)
    assert scaled.mean() < 0.6 * alone.mean()
    assert (scaled < alone + 0.25).all()  # in the variance of the noise


def test_the_unit_of_a_task_changes_nothing_but_the_unit():
    X, y, _, _ = assays(3)
    factor = np.where(X["assay"] % 2 == 0, 1.0, 1e-3)
    model = ScaledTargetRegressor(PooledRegressor(0.01, task="assay"), scale="task")
    first = clone(model).fit(X, y)
    second = clone(model).fit(X, y * factor)
    ratio = second.task_scale_ / first.task_scale_
    assert ratio[1::2].min() < 2e-3
    assert ratio[::2] == pytest.approx(1, rel=0.2)  # drawn towards others as before, or nearly


def test_a_logarithm_is_undone_without_bias():
    rng = np.random.default_rng(0)
    task, x = np.repeat(np.arange(10), 200), rng.normal(size=2000)
    sd = np.where(task < 5, 0.3, 1.0)
    y = np.exp(1 + 0.5 * x + sd * rng.normal(size=2000))
    X = np.column_stack([x, task])
    model = ScaledTargetRegressor(PooledRegressor(task=1), transform="log").fit(X, y)
    truth = np.exp(1 + 0.5 * x + sd**2 / 2)
    assert np.mean(model.predict(X) / truth) == pytest.approx(1, abs=0.05)
    assert model.smearing_[:5].mean() == pytest.approx(np.exp(0.09 / 2), rel=0.1)
    assert model.smearing_[5:].mean() == pytest.approx(np.exp(1 / 2), rel=0.1)
    naive = TransformedTargetRegressor(PooledRegressor(task=1), func=np.log, inverse_func=np.exp)
    assert np.mean(naive.fit(X, y).predict(X) / truth) < 0.85


def test_the_role_is_that_of_the_model_inside():
    joint = MeanRegularizedRegressor(task="t")
    around = [
        ScaledTargetRegressor(joint, transform="log"),
        TransformedTargetRegressor(joint, func=np.log, inverse_func=np.exp),
    ]
    assert [role_of("mine", model, "single-task") for model in around] == ["joint", "joint"]
    assert role_of("mine", ScaledTargetRegressor(Ridge()), "single-task") == "non-joint"


def test_a_comparison_takes_it_and_the_verdict_follows_the_metric():
    X, y, _, _ = assays(1)
    models = {
        "single-task": SingleTaskRegressor(task="assay"),
        "scaled": ScaledTargetRegressor(MeanRegularizedRegressor(task="assay"), scale="task"),
        "plain": MeanRegularizedRegressor(task="assay"),
    }
    found = compare_tasks(models, X, y, task="assay", metric="nmse")
    assert found.verdict.focus == "scaled"
    assert found.loss_title == "squared error per variance of the task"
    gains = found.models.set_index("name")["gain"]
    assert gains["scaled"] > 0.1
    assert gains["plain"] < -10
    losses = found.tasks["loss_focus"]
    nmse = found.models.set_index("name")["metric"]["scaled"]
    assert losses.mean() == pytest.approx(nmse)


def test_it_is_a_scikit_learn_estimator_and_a_saved_model():
    X, y, _, _ = assays(4)
    model = ScaledTargetRegressor(SingleTaskRegressor(task="assay"), scale="task")
    folds = TaskKFold(3, task="assay", random_state=0)
    search = GridSearchCV(model, {"estimator__alpha": [1e-3, 1e3]}, cv=folds).fit(X, y)
    assert search.best_params_ == {"estimator__alpha": 1e-3}
    model.fit(X, y)
    again = skops.io.loads(skops.io.dumps(model), trusted=polytask.TRUSTED_TYPES)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    new = X.assign(assay=99)
    with pytest.raises(ValueError, match="99"):
        model.predict(new)
    common = ScaledTargetRegressor(SingleTaskRegressor(task="assay", unseen="common"), scale="task")
    assert np.isfinite(common.fit(X, y).predict(new)).all()


def skewed(seed=0, m=10, n=16):
    """Curves by task whose noise is a factor, as a table; targets; expected targets."""
    rng = np.random.default_rng(seed)
    task, x = np.repeat(np.arange(m), n), rng.uniform(size=m * n)
    f = 1.5 * np.sin(5.0 * x + 0.3 * rng.normal(size=m)[task]) + 2.0 * x
    X = pd.DataFrame({"x": x, "task": task})
    return X, np.exp(f + 0.3 * rng.normal(size=len(f))), np.exp(f + 0.045)


def test_rows_left_out_of_the_logarithm_are_targets_again():
    X, y, _ = skewed()
    order = np.random.default_rng(5).permutation(len(y))
    X, y = X.iloc[order], y[order]
    model = ScaledTargetRegressor(CurvedRegressor(task="task"), transform="log").fit(X, y)
    assert model.predict(X).sum() == pytest.approx(y.sum(), rel=0.02)
    f = model.estimator_.left_out(X, np.log(y))
    by_task = np.argsort(X["task"].to_numpy(), kind="stable")
    expected = np.exp(f) * model.smearing_[X["task"].to_numpy()[by_task]]
    np.testing.assert_allclose(model.left_out(X, y), expected, rtol=1e-12)
    left = np.mean((model.left_out(X, y) - y[by_task]) ** 2)
    assert left > 1.05 * np.mean((model.predict(X) - y) ** 2)
    without = ScaledTargetRegressor(PooledRegressor(task="task"), transform="log").fit(X, y)
    assert without.left_out(X, y) is None


def test_auto_and_a_comparison_weigh_the_logarithm_where_the_target_is_skewed():
    X, y, truth = skewed()
    names = ["pooled", "curved", "curved-log"]
    auto = AutoMultiTaskRegressor(task="task").fit(X, y)
    assert auto.common_weights_[auto.candidates_.index("curved-log")] > 0.5
    without = AutoMultiTaskRegressor(names[:2], task="task").fit(X, y)
    errors = [np.mean((m.predict(X) - truth) ** 2) for m in (auto, without)]
    assert errors[0] < 0.8 * errors[1]
    assert np.isfinite(auto.set_params(unseen="common").predict(X.assign(task=99))).all()
    models = {"single-task": None, "curved": None}
    found = compare_tasks(models, X, y, task="task", cv=3)
    rows = found.models.set_index("name")
    assert rows.loc["curved-log", ["title", "role"]].tolist() == ["Curved, log target", "joint"]
    assert rows.loc["curved-log", "metric"] < rows.loc["curved", "metric"]
    assert any("positive and skewed" in note for note in found.notes)
    even = compare_tasks(models, X, np.log(y), task="task", cv=3)
    assert "curved-log" not in set(even.models["name"])
    assert not may_take_log(-y)


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueError, match=r"y must be positive for transform='log'; got 0.0 in row"):
        ScaledTargetRegressor(PooledRegressor(), transform="log").fit(np.eye(3), [1.0, 0.0, 2.0])
