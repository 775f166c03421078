"""Shared trees: the mean-regularized model where no tree helps, and heads that are not fooled."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io

import polytask
from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    SharedTreesClassifier,
    SharedTreesRegressor,
)
from polytask.datasets import make_related_tasks
from polytask.models._label_stack import _shares
from polytask.models.boosted_trees import BoostedTreesRegressor
from polytask.report.fitted import importance_table
from polytask.tuning.tree_feature import binned

TREES = [  # what scikit-learn's trees hold that skops does not trust, the last two of categories
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "functools.partial",
    "sklearn.utils.validation.check_array",
]
FEW = {"max_iter": 40, "task": "task"}  # cheaper, for what does not need the best


def corners(n=360, m=9, seed=0, noise=0.2):
    """A corner that features make together, stretched by each task, and a slope by task."""
    rng = np.random.default_rng(seed)
    task = np.arange(n) % m
    X = pd.DataFrame(rng.uniform(size=(n, 3)), columns=["a", "b", "c"])
    stretch, slope = 1.0 + 0.5 * rng.normal(size=m), rng.normal(size=m)
    f = 2.0 * stretch[task] * ((X["a"] > 0.5) & (X["b"] > 0.3)) + slope[task] * X["c"]
    return X.assign(task=[f"t{i}" for i in task]), f.to_numpy() + noise * rng.normal(size=n)


@pytest.fixture(scope="module")
def fitted():
    X, y = corners(n=720)
    X, y = X[:360], y[:360]
    return X, y, SharedTreesRegressor(unseen="common", **FEW).fit(X, y)


def test_one_tree_of_one_leaf_is_the_mean_regularized_model():
    X, y, _ = make_related_tasks(8, 3, 12, random_state=0)
    trees = SharedTreesRegressor(max_iter=1, min_samples_leaf=len(y), task="task").fit(X, y)
    given = {"weights": "count", "noise": "common", "task": "task"}
    linear = MeanRegularizedRegressor("reml", **given).fit(X, y)
    np.testing.assert_allclose(trees.predict(X), linear.predict(X), atol=1e-6)
    np.testing.assert_allclose(trees.left_out(X, y), linear.left_out(X, y), atol=1e-6)
    assert trees.n_trees_ == 0


def test_it_finds_what_features_make_together_and_how_tasks_stretch_it(fitted):
    X, y, model = fitted
    new, truth = (part[360:] for part in corners(n=720, noise=0.0))
    others = (
        MeanRegularizedRegressor("reml", task="task").fit(X, y),
        BoostedTreesRegressor(task="task").fit(X, y),
    )
    error = np.sqrt(np.mean((model.predict(new) - truth) ** 2))
    rest = [np.sqrt(np.mean((other.predict(new) - truth) ** 2)) for other in others]
    assert error < 0.7 * min(rest)
    assert model.importance_[:2].min() > 0.1


def test_heads_are_at_their_optimum(fitted):
    """The gradient of their objective by hand, on h from trees without the row's fold."""
    X, y, model = fitted
    heads, N = model.model_, len(y)
    Z = np.column_stack([X[["a", "b", "c"]], model.held_out_features_])
    code = np.searchsorted(model.tasks_, X["task"])
    residual = (heads.coef_[code] * Z).sum(axis=1) + heads.intercept_[code] - y
    rows = np.array([residual[code == i] @ Z[code == i] for i in range(len(model.tasks_))]) / N
    weakest = np.where(np.isinf(heads.alpha_), 0.0, heads.alpha_)
    np.testing.assert_allclose(
        np.where(weakest > 0, rows + 2.0 * weakest * heads.deviation_coef_, 0.0), 0.0, atol=1e-7
    )
    common = rows.sum(axis=0) + 2.0 * heads.alpha_common_ * heads.common_coef_
    np.testing.assert_allclose(common, 0.0, atol=1e-7)
    assert heads.violation_ < 1e-8


def test_order_names_units_and_copies_do_not_matter(fitted):
    X, y, model = fitted
    rng = np.random.default_rng(1)
    order = rng.permutation(len(y))
    other = X.assign(a=1e3 * X["a"], b=0.01 * X["b"], task="z" + X["task"].str[::-1]).iloc[order]
    again = SharedTreesRegressor(**FEW).fit(other, 10.0 * y[order] + 3.0)
    np.testing.assert_allclose(
        (again.predict(other) - 3.0) / 10.0, model.predict(X)[order], atol=1e-5
    )
    np.testing.assert_allclose(again.importance_, model.importance_, atol=1e-5)
    times = rng.integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), times)
    weighted = SharedTreesRegressor(**FEW).fit(X, y, times)
    copied = SharedTreesRegressor(**FEW).fit(X.iloc[rows], y[rows])
    np.testing.assert_allclose(weighted.predict(X), copied.predict(X), atol=1e-6)


def test_targets_of_no_meaning_give_no_held_out_gain():
    """Neither in new rows nor in the predictions of rows left out, which others weigh it by."""
    X, y = corners()
    told, new = [], []
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(y)
        half = np.arange(len(y)) % 4 > 0
        model = SharedTreesRegressor(**FEW).fit(X[half], shuffled[half])
        order = np.argsort(X["task"][half].to_numpy(), kind="stable")
        level = shuffled[half].mean()
        told.append(
            np.mean((model.left_out(X[half], shuffled[half]) - shuffled[half][order]) ** 2)
            / np.mean((shuffled[half] - level) ** 2)
        )
        new.append(
            np.mean((model.predict(X[~half]) - shuffled[~half]) ** 2)
            / np.mean((shuffled[~half] - level) ** 2)
        )
    assert np.mean(told) > 0.97
    assert np.mean(new) > 0.97


def test_heads_do_not_count_a_level_twice_that_trees_know():
    """A feature that is constant in each task tells it: trees of all rows know its level, heads
    learned from trees that did not see the task. Moved to these, they are not fooled."""
    rng = np.random.default_rng(0)
    task, size = np.repeat(np.arange(20), 16), rng.uniform(size=20)
    x = rng.uniform(size=len(task))
    f = (4.0 * (size > 0.5) + 2.0 * rng.normal(size=20))[task] + 0.5 * x + 2.0 * (x > 0.5)
    Z, y = np.column_stack([task, size[task], x]), f + 0.3 * rng.normal(size=len(task))
    half = np.arange(len(y)) % 2 == 0
    model = SharedTreesRegressor(max_iter=40, task=0).fit(Z[half], y[half])
    error = np.sqrt(np.mean((model.predict(Z[~half]) - f[~half]) ** 2))
    heard = model._columns_of(Z[half, 1:], task[half])[:, 2] - model.held_out_features_[:, 0]
    np.testing.assert_allclose(np.bincount(task[half], heard), 0.0, atol=1e-8)
    model._shift, model._stretch = np.zeros(20), np.ones(20)
    assert error < 0.6 * np.sqrt(np.mean((model.predict(Z[~half]) - f[~half]) ** 2))
    linear = MeanRegularizedRegressor("reml", task=0).fit(Z[half], y[half])
    assert error < 0.6 * np.sqrt(np.mean((linear.predict(Z[~half]) - f[~half]) ** 2))


def test_heads_do_not_count_a_bend_twice_that_trees_know():
    """One task alone has a feature's highest value: trees of all rows know how far it rises there,
    those without the task do not."""
    errors = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        task, z = np.repeat(np.arange(8), 50), rng.uniform(size=400)
        z = np.where((task == 0) & (z > 0.5), 2.0, z)
        f = 4.0 * (z > 0.5) + 6.0 * (z > 1.5) + 0.3 * rng.normal(size=8)[task]
        Z, y = np.column_stack([task, z]), f + 0.2 * rng.normal(size=400)
        half = np.arange(400) % 2 == 0
        model = SharedTreesRegressor(max_iter=40, task=0).fit(Z[half], y[half])
        errors.append([np.mean((model.predict(Z[~half]) - f[~half]) ** 2)])
        assert model._stretch[0] < 0.95 < model._stretch[1:].min()
        moved = model.held_out_features_[:, 0] - model.trees_.predict(
            binned(Z[half, 1:], model.bins_)
        )
        model._shift = np.bincount(task[half], moved) / np.bincount(task[half])
        model._stretch = np.ones(8)
        errors[-1].append(np.mean((model.predict(Z[~half]) - f[~half]) ** 2))
    with_stretch, without = np.mean(errors, axis=0)
    assert with_stretch < 0.7 * without


def test_leaves_are_smaller_in_smaller_tables_and_those_of_labels_are_not():
    rng = np.random.default_rng(0)
    for n, expected in ((60, 3), (150, 5), (900, 10)):
        Z = np.column_stack([np.arange(n) % 6, rng.uniform(size=n)])
        y = np.sin(6.0 * Z[:, 1]) + 0.1 * rng.normal(size=n)
        assert SharedTreesRegressor(max_iter=3, task=0).fit(Z, y).min_samples_leaf_ == expected
    labels = (y[:60] > np.median(y[:60])).astype(int)
    trees = SharedTreesClassifier(max_iter=3, task=0).fit(Z[:60], labels)
    assert trees.min_samples_leaf_ == 10


def test_new_tasks_are_answered_by_what_says_most_of_tasks_left_out():
    """Of a dozen tasks the common part of heads says too much about features that are constant in
    each, which have no meaning."""
    rng = np.random.default_rng(0)

    def drawn(m):
        task, x, c = np.repeat(np.arange(m), 12), rng.uniform(size=12 * m), rng.normal(size=(m, 5))
        level = rng.normal(size=m)
        return np.column_stack([task, x, c[task]]), 2.0 * (x > 0.5), level[task]

    Z, f, level = drawn(12)
    y = f + level + 0.2 * rng.normal(size=len(f))
    new, truth, _ = drawn(30)
    new[:, 0] += 100
    model = SharedTreesRegressor(max_iter=30, task=0, unseen="common").fit(Z, y)
    error = np.mean((model.predict(new) - truth) ** 2)
    heads = model.model_
    assert np.abs(heads.new_task_coef_[1:6]).max() < 0.2 * np.abs(heads.common_coef_[1:6]).max()
    del heads.new_task_coef_
    assert error < 0.6 * np.mean((model.predict(new) - truth) ** 2)


def test_trees_that_do_not_lower_the_error_of_rows_left_out_are_dropped():
    """Of lines steps are of little use; by rows left out the linear model is never better."""
    rng = np.random.default_rng(0)
    task, x = np.arange(150) % 6, rng.uniform(size=(150, 2))
    y = x @ [1.0, -1.0] + 0.5 * rng.normal(size=6)[task] + 0.1 * rng.normal(size=150)
    Z, order = np.column_stack([task, x]), np.argsort(task, kind="stable")
    trees = SharedTreesRegressor(max_iter=30, min_samples_leaf=10, task=0).fit(Z, y)
    linear = MeanRegularizedRegressor("reml", weights="count", noise="common", task=0).fit(Z, y)
    risk = [np.mean((model.left_out(Z, y) - y[order]) ** 2) for model in (trees, linear)]
    assert risk[0] <= risk[1] * (1 + 1e-9)
    assert trees.n_trees_ == 0
    np.testing.assert_allclose(trees.predict(Z), linear.predict(Z), atol=1e-8)


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")  # 81 rows are few
def test_heads_do_not_read_targets_from_what_the_other_folds_hold():
    """Three rows of each task, at four values: the mean of the other folds there tells a row's own
    target, with a minus. Trees that count for less than nothing are dropped."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        task, age = np.repeat(np.arange(27), 4), np.tile([8.0, 10.0, 12.0, 14.0], 27)
        own = 17.0 + 2.0 * rng.normal(size=27), 0.6 + 0.15 * rng.normal(size=27)
        Z = np.column_stack([task, (age - 11.0) / 2.2, task % 2])
        y = own[0][task] + own[1][task] * age + 2.0 * (task % 2) + 1.3 * rng.normal(size=108)
        held = (np.arange(108) + task) % 4 == seed
        trees = SharedTreesRegressor(max_iter=30, task=0).fit(Z[~held], y[~held])
        linear = MeanRegularizedRegressor("reml", task=0).fit(Z[~held], y[~held])
        assert (trees.model_.common_coef_[2:] > 0).all()
        errors = [np.mean((model.predict(Z[held]) - y[held]) ** 2) for model in (trees, linear)]
        assert errors[0] < 1.05 * errors[1]


def test_unseen_tasks_and_new_ones(fitted):
    X, y, model = fitted
    model = pickle.loads(pickle.dumps(model))
    new, truth = corners(m=1, seed=5, n=120)
    new["task"] = "new"
    before = np.mean((model.predict(new[20:]) - truth[20:]) ** 2)
    model.add_task(new[:20], truth[:20])
    assert np.mean((model.predict(new[20:]) - truth[20:]) ** 2) < 0.7 * before
    assert model.tasks_[-1] == "new"
    mean, std = model.predict(new, return_std=True)
    assert (std > 0.15).all()
    assert mean.shape == std.shape
    with pytest.raises(ValueError, match="unseen='common'"):
        SharedTreesRegressor(**FEW).fit(X, y).predict(new)


def test_labels_and_counts():
    X, f = corners(n=500, m=5, noise=0.0)
    rng = np.random.default_rng(4)
    labels = np.where(rng.uniform(size=500) < 1.0 / (1.0 + np.exp(2.0 - 2.0 * f)), "yes", "no")
    model = SharedTreesClassifier(**FEW).fit(X, labels)
    assert np.corrcoef(model.decision_function(X), f)[0, 1] > 0.9
    counts = rng.poisson(np.exp(0.7 * f))
    model = SharedTreesRegressor(loss="poisson", **FEW).fit(X, counts)
    assert np.corrcoef(np.log(model.predict(X)), f)[0, 1] > 0.9


def test_heads_of_labels_report_what_the_mean_regularized_model_does():
    """Fits on the way only predict; the last has its w0 with the deviations integrated out."""
    X, y, _ = make_related_tasks(8, 3, 12, random_state=0)
    labels = y > np.median(y)
    trees = SharedTreesClassifier(max_iter=1, min_samples_leaf=len(y), task="task").fit(X, labels)
    given = {"weights": "count", "noise": "common", "task": "task"}
    linear = MeanRegularizedClassifier("reml", **given).fit(X, labels)
    for name in ("common_coef_", "common_covariance_", "log_likelihood_", "new_task_coef_"):
        found, expected = (getattr(each, name) for each in (trees.model_, linear))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(linear.common_coef_ - linear.new_task_coef_).max() > 1e-2


def bent_labels(n=400, m=5, seed=0):
    """Labels of one in an interval that every task has elsewhere; categories of one size beside."""
    rng = np.random.default_rng(seed)
    task, x, category = np.arange(n) % m, rng.uniform(size=n), np.arange(n) // m % 3
    f = np.where(np.abs(x - 0.2 * task - 0.1) < 0.12, 3.0, -3.0)
    X = pd.DataFrame(np.eye(3)[category], columns=["u", "v", "w"]).assign(x=x, task=task)
    return X, (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-f))).astype(int)


def log_loss(labels, f):
    return float(np.mean(np.logaddexp(0.0, np.where(labels == 1, -f, f))))


@pytest.fixture(scope="module")
def of_labels():
    X, y = bent_labels()
    return X, y, SharedTreesClassifier(unseen="common", task="task").fit(X, y)


def test_labels_of_known_tasks_weigh_heads_and_boosting(of_labels):
    model = of_labels[-1]
    new, labels = bent_labels(seed=1)
    assert model.shares_[2] > 0.3
    np.testing.assert_allclose(model.shares_.sum(), 1.0)
    assert (model.shares_ >= 0.0).all()
    f, heads = model.decision_function(new), model.model_._linear_predictor(model._read(new))
    assert log_loss(labels, f) < 0.9 * log_loss(labels, heads)
    features = new[["u", "v", "w", "x"]].to_numpy()
    boosted = model.boosting_.decision_function(
        np.column_stack([binned(features, model.bins_), model._place[new["task"]]])
    )
    linear = model.linear_._linear_predictor(np.column_stack([new["task"], features]))
    said = 1.0 / (1.0 + np.exp(-np.column_stack([linear, heads, boosted])))
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-f)), said @ model.shares_, atol=1e-10)
    unseen = new.assign(task=9)
    np.testing.assert_allclose(
        model.decision_function(unseen), model.model_._linear_predictor(model._read(unseen))
    )


def test_shares_are_most_likely_and_none_is_ruled_out():
    """At the optimum derivatives are equal; each model has said one row right beforehand."""
    rng = np.random.default_rng(0)
    losses, weight = rng.exponential(size=(50, 3)), rng.integers(0, 3, 50).astype(float)
    shares = _shares(losses, weight)
    likelihood = np.exp(-losses)
    derivative = (weight / (likelihood @ shares)) @ likelihood + 1.0 / shares
    np.testing.assert_allclose(derivative, weight.sum() + 3.0, rtol=1e-6)
    certain = np.tile([0.0, 1e4], (10, 1))
    np.testing.assert_allclose(_shares(certain, np.ones(10)), [11.0 / 12.0, 1.0 / 12.0])


def test_labels_left_out_say_what_new_rows_do(of_labels):
    """Not the loss of training rows: others weigh the model by it."""
    X, y, model = of_labels
    order = np.argsort(X["task"].to_numpy(), kind="stable")
    new, labels = bent_labels(n=1000, seed=2)
    told = log_loss(y[order], model.left_out(X, y))
    assert told > 1.2 * log_loss(y, model.decision_function(X))
    assert 0.65 < told / log_loss(labels, model.decision_function(new)) < 1.4
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.left_out(X, y), model.left_out(X, y))


def test_weighed_labels_can_be_kept(of_labels):
    X, y, model = of_labels
    saved = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=saved)) <= {*polytask.TRUSTED_TYPES, *TREES}
    back = skops.io.loads(saved, [*polytask.TRUSTED_TYPES, *TREES])
    assert back.boosting_ is not None
    for table in (X, X.assign(task=9)):
        np.testing.assert_array_equal(back.predict_proba(table), model.predict_proba(table))
    np.testing.assert_array_equal(back.left_out(X, y), model.left_out(X, y))


def test_labels_are_blind_to_order_names_and_copies(of_labels):
    X, y, model = of_labels
    rng = np.random.default_rng(1)
    order = rng.permutation(len(y))
    other = X.assign(task="z" + (9 - X["task"]).astype(str), x=100.0 * X["x"])
    again = SharedTreesClassifier(task="task").fit(other.iloc[order], y[order])
    f = model.decision_function(X)
    np.testing.assert_allclose(again.decision_function(other), f, atol=1e-4)
    times = rng.integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), times)
    weighted = SharedTreesClassifier(max_iter=30, task="task").fit(X, y, times)
    copied = SharedTreesClassifier(max_iter=30, task="task").fit(X.iloc[rows], y[rows])
    np.testing.assert_allclose(
        weighted.decision_function(X), copied.decision_function(X), atol=1e-4
    )


def test_a_wide_target_is_the_long_table():
    X, y = corners(n=120, m=1)
    wide = np.column_stack([y, 2.0 * y + X["c"], y + 1.0, y, 0.5 * y, y - 2.0])
    wide[::7, 1] = np.nan
    model = SharedTreesRegressor(max_iter=30).fit(X[["a", "b", "c"]], wide)
    assert model.trees_ is not None
    assert model.predict(X[["a", "b", "c"]]).shape == wide.shape
    known = ~np.isnan(wide)
    assert np.corrcoef(model.predict(X[["a", "b", "c"]])[known], wide[known])[0, 1] > 0.9


def test_it_can_be_kept_and_is_told(fitted):
    X, _, model = fitted
    saved, trusted = skops.io.dumps(model), [*polytask.TRUSTED_TYPES, TREES[0]]
    for back in (pickle.loads(pickle.dumps(model)), skops.io.loads(saved, trusted)):
        np.testing.assert_array_equal(back.predict(X), model.predict(X))
    table = importance_table({"shared-trees": model})
    assert {row[1].text for row in table.rows} == {"a", "b", "c"}


def test_importance_is_made_when_it_is_asked_for(fitted):
    """Fits in folds ask nobody; a copy does not ask either, and what is saved has it."""
    X, y, _ = fitted
    model = SharedTreesRegressor(**FEW).fit(X, y)
    other = copy.copy(model)
    assert "importance_" not in vars(model)
    assert "importance_" not in vars(other)
    saved = pickle.loads(pickle.dumps(other))
    np.testing.assert_array_equal(vars(saved)["importance_"], model.importance_)
    assert "_importance_rows" not in vars(saved)
    assert "importance_" not in vars(model.fit(X, y))
    assert not hasattr(SharedTreesRegressor(), "importance_")
