"""Shared trees: the mean-regularized model where no tree helps, and heads that are not fooled."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io

import polytask
from polytask import MeanRegularizedRegressor, SharedTreesClassifier, SharedTreesRegressor
from polytask.datasets import make_related_tasks
from polytask.models.boosted_trees import BoostedTreesRegressor
from polytask.report.fitted import importance_table

TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"  # skops trusts none
FEW = {"max_iter": 40, "n_rounds": 2, "task": "task"}  # cheaper, for what does not need the best


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


def test_a_wide_target_is_the_long_table():
    X, y = corners(n=120, m=1)
    wide = np.column_stack([y, 2.0 * y + X["c"], y + 1.0])
    wide[::7, 1] = np.nan
    model = SharedTreesRegressor(max_iter=30, n_rounds=2).fit(X[["a", "b", "c"]], wide)
    assert model.predict(X[["a", "b", "c"]]).shape == wide.shape
    known = ~np.isnan(wide)
    assert np.corrcoef(model.predict(X[["a", "b", "c"]])[known], wide[known])[0, 1] > 0.9


def test_it_can_be_kept_and_is_told(fitted):
    X, _, model = fitted
    saved, trusted = skops.io.dumps(model), [*polytask.TRUSTED_TYPES, TREES]
    for back in (pickle.loads(pickle.dumps(model)), skops.io.loads(saved, trusted)):
        np.testing.assert_array_equal(back.predict(X), model.predict(X))
    table = importance_table({"shared-trees": model})
    assert {row[1].text for row in table.rows} == {"a", "b", "c"}
