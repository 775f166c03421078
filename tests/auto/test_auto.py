"""AutoMultiTask: what it combines, how it predicts, and that it lands where it should."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from polytask import (
    AutoMultiTaskClassifier,
    AutoMultiTaskRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    ProjectedMeanRegularizedRegressor,
    SingleTaskRegressor,
)
from polytask.data import make_task_data, read_rows, read_target
from polytask.datasets import (
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
)
from polytask.models._held_out import held_out_predictions
from polytask.responses import Squared

QUICK = ["single-task", "pooled", "task-intercept", "mean-regularized"]
WITH_REML = [*QUICK, "mean-regularized-reml"]


@parametrize_with_checks([AutoMultiTaskRegressor(), AutoMultiTaskClassifier()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def train_and_test(make, n, seed=0, **options):
    X, y, truth = make(n_rows=n + 60, random_state=seed, **options)
    train = X.groupby("task").cumcount().to_numpy() < n
    return X[train], y[train], X[~train], y[~train], truth


def rmse(model, X, y):
    return float(np.sqrt(np.mean((y - model.predict(X)) ** 2)))


@pytest.mark.parametrize("make", [make_related_tasks, make_independent_tasks, make_outlier_tasks])
@pytest.mark.parametrize(("n", "regret"), [(6, 1.06), (20, 1.01)])
def test_near_the_best_candidate(make, n, regret):
    X, y, X_test, y_test, _ = train_and_test(make, n)
    model = AutoMultiTaskRegressor(WITH_REML, task="task").fit(X, y)
    losses = {name: rmse(e, X_test, y_test) for name, e in model.estimators_.items()}
    assert rmse(model, X_test, y_test) < regret * min(losses.values())


@pytest.mark.slow
def test_low_rank_is_a_candidate():
    X, y, X_test, y_test, _ = train_and_test(make_low_rank_tasks, 20, n_tasks=15, n_features=10)
    model = AutoMultiTaskRegressor(task="task").fit(X, y)
    assert "low-rank" in model.candidates_
    assert rmse(model, X_test, y_test) < 0.97 * rmse(
        model.estimators_["single-task"], X_test, y_test
    )


def test_tasks_that_sharing_harms_fall_back():
    X, y, X_test, y_test, truth = train_and_test(make_outlier_tasks, 40, n_outliers=5)
    model = AutoMultiTaskRegressor(["single-task", "pooled"], task="task").fit(X, y)
    outlier = truth.labels == 1
    alone = model.weights_[:, 0]
    assert alone[outlier].min() > alone[~outlier].mean()
    own, same = (
        AutoMultiTaskRegressor(["single-task", "pooled"], task="task", own_weights=own).fit(X, y)
        for own in (True, False)
    )
    assert rmse(own, X_test, y_test) < rmse(same, X_test, y_test)


@pytest.mark.parametrize("alpha", ["cv", "reml"])
def test_held_out_predictions_are_refits(alpha):
    X, y, _ = make_related_tasks(5, 3, (4, 9), level=1.0, random_state=0)
    model = MeanRegularizedRegressor(alpha, task="task").fit(X, y)
    target, names = read_target(model, y)
    data = make_task_data(model, read_rows(model, X, reset=False), target, names, None)
    f = held_out_predictions(model, X, target, names, None, data, Squared(), 5)
    strengths = {
        "alpha": np.broadcast_to(np.minimum(model.alpha_, 1e9), 3),
        "alpha_intercept": min(model.alpha_intercept_, 1e9),
    }
    ridge = np.broadcast_to(np.asarray(model.alpha_common_, dtype=float), 3)
    for k in (0, 7, 20):
        left = np.delete(np.arange(len(y)), k)
        rows = data.design.X[left]
        code = data.code[left]
        A = np.zeros((len(left), 4 * 6))
        for j, i in enumerate(code):
            A[j, :4] = A[j, 4 * (i + 1) : 4 * (i + 2)] = rows[j]
        own = np.append(strengths["alpha"], strengths["alpha_intercept"])
        penalty = np.concatenate([np.append(ridge, 0.0), np.tile(own, 5)])
        w = data.weight[left]
        theta = np.linalg.solve(
            (A * w[:, None]).T @ A + 2 * np.diag(penalty), A.T @ (w * data.y[left])
        )
        i = data.code[k]
        expected = data.design.X[k] @ (theta[:4] + theta[4 * (i + 1) : 4 * (i + 2)])
        assert f[k] == pytest.approx(expected, abs=1e-5)


def test_rows_are_held_out_from_the_fit_with_its_noise_by_task():
    """At the fit's strengths tasks weigh by their noise, which a refit without a row shows."""
    rng = np.random.default_rng(0)
    task, x = np.repeat(np.arange(12), 10), rng.normal(size=120)
    level = rng.normal(size=12)[task]
    y = x + 0.5 * level + np.where(task % 2, 5.0, 0.2) * rng.normal(size=120)
    X = np.column_stack([x, task])
    model = MeanRegularizedRegressor("reml", task=1).fit(X, y)
    noise = model.task_noise_variance_ / model.noise_variance_
    assert noise.max() > 100 * noise.min()
    target, names = read_target(model, y)
    data = make_task_data(model, read_rows(model, X, reset=False), target, names, None)
    f = held_out_predictions(model, X, target, names, None, data, Squared(), 5)
    A = np.zeros((120, 26))
    A[:, :2] = np.column_stack([x, np.ones(120)])
    A[np.arange(120), 2 * task + 2], A[np.arange(120), 2 * task + 3] = x, 1.0
    own = np.minimum([float(np.ravel(model.alpha_)[0]), model.alpha_intercept_], 1e9)
    common = [float(np.ravel(model.alpha_common_)[0]), 0.0]
    penalty = np.append(common, np.tile(own, 12))
    w = 1.0 / noise[task]
    w /= w.sum()
    for k in (3, 14, 119):
        h = np.where(np.arange(120) == k, 0.0, w)
        theta = np.linalg.solve((A * h[:, None]).T @ A + 2 * np.diag(penalty), A.T @ (h * y))
        assert f[k] == pytest.approx(A[k] @ theta, abs=1e-5)


def test_predictions_are_the_weighted_candidates():
    X, y, X_test, _, _ = train_and_test(make_outlier_tasks, 30)
    model = AutoMultiTaskRegressor(WITH_REML, task="task").fit(X, y)
    code = np.searchsorted(model.tasks_, X_test["task"])
    parts = np.column_stack([e.predict(X_test) for e in model.estimators_.values()])
    np.testing.assert_allclose(model.predict(X_test), (parts * model.weights_[code]).sum(axis=1))
    linear = (X_test.drop(columns="task").to_numpy() * model.coef_[code]).sum(axis=1)
    np.testing.assert_allclose(model.predict(X_test), linear + model.intercept_[code])
    assert (model.weights_ >= 0).all()
    np.testing.assert_allclose(model.weights_.sum(axis=1), 1.0)
    assert list(model.scores_) == model.candidates_ == WITH_REML


def test_one_candidate_is_itself():
    X, y, X_test, _, _ = train_and_test(make_related_tasks, 10)
    alone = SingleTaskRegressor(task="task").fit(X, y).predict(X_test)
    model = AutoMultiTaskRegressor(["single-task"], task="task").fit(X, y)
    np.testing.assert_allclose(model.predict(X_test), alone, rtol=1e-12)


def test_projected_candidates():
    X, y, _, _, _ = train_and_test(make_low_rank_tasks, 12, n_tasks=5, n_features=4)
    projected = ProjectedMeanRegularizedRegressor(0.01, n_components=2)
    mine = {"projected": projected, "alone": SingleTaskRegressor()}
    model = AutoMultiTaskRegressor(mine, task="task").fit(X, y)
    assert model.weights_[0, 0] > 0.5


def test_estimators_of_ones_own():
    X, y, _, _, _ = train_and_test(make_related_tasks, 10)
    mine = {"weak": PooledRegressor(alpha=1.0), "strong": MeanRegularizedRegressor("reml")}
    model = AutoMultiTaskRegressor(mine, task="task").fit(X, y)
    assert model.candidates_ == ["weak", "strong"]
    assert mine["weak"].task is None
    assert model.weights_[0, 1] > 0.9
    clone(model).fit(X, y)


def test_unseen_tasks():
    X, y, X_test, _, _ = train_and_test(make_related_tasks, 10)
    new = X_test.head(5).assign(task="never")
    X, X_test = X.assign(task=X["task"].astype(str)), X_test.assign(task=X_test["task"].astype(str))
    model = AutoMultiTaskRegressor(QUICK, task="task").fit(X, y)
    with pytest.raises(ValueError, match="unseen='common'"):
        model.predict(new)
    model = AutoMultiTaskRegressor(QUICK, task="task", unseen="common").fit(X, y)
    parts = [e.predict(new) for e in model.estimators_.values()]
    np.testing.assert_allclose(model.predict(new), model.common_weights_ @ parts)
    linear = new.drop(columns="task") @ model.common_coef_ + model.common_intercept_
    np.testing.assert_allclose(model.predict(new), linear)


@pytest.mark.parametrize("classes", [False, True])
def test_wide_labels_are_the_long_table(classes, rng):
    X = rng.normal(size=(50, 3))
    Y = X @ rng.normal(size=(3, 4)) + rng.normal(size=(50, 4))
    Y = (Y > 0).astype(float) if classes else Y
    Y[rng.random(Y.shape) < 0.2] = np.nan
    row, task = np.nonzero(~np.isnan(Y))
    long = pd.DataFrame(X[row], columns=list("abc")).assign(task=task)
    Auto = AutoMultiTaskClassifier if classes else AutoMultiTaskRegressor
    wide = Auto(QUICK).fit(X, Y)
    tall = Auto(QUICK, task="task").fit(long, Y[row, task])
    f = (lambda m, X: m.decision_function(X)) if classes else (lambda m, X: m.predict(X))
    np.testing.assert_allclose(f(wide, X)[row, task], f(tall, long), atol=1e-5)


def test_classes():
    X, y, X_test, y_test, _ = train_and_test(make_related_tasks, 25, classification=True)
    labels = np.array(["no", "yes"])
    model = AutoMultiTaskClassifier(QUICK, task="task").fit(X, labels[y.astype(int)])
    p = model.predict_proba(X_test)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    best = max(e.score(X_test, labels[y_test.astype(int)]) for e in model.estimators_.values())
    assert model.score(X_test, labels[y_test.astype(int)]) > best - 0.02


@pytest.mark.parametrize("m", [4, 12])
@pytest.mark.parametrize(
    ("Auto", "candidates"),
    [
        (AutoMultiTaskRegressor, WITH_REML),
        (AutoMultiTaskClassifier, QUICK),
        pytest.param(AutoMultiTaskRegressor, None, marks=pytest.mark.slow),
        pytest.param(AutoMultiTaskClassifier, None, marks=pytest.mark.slow),
    ],
)
def test_weights_are_repeated_rows_and_order_does_not_matter(Auto, candidates, m):
    classes = Auto is AutoMultiTaskClassifier
    X, y, _ = make_related_tasks(m, 3, (9, 14), random_state=3, classification=classes)
    rng = np.random.default_rng(0)
    times = rng.integers(0, 4, len(y))
    again = rng.permutation(np.repeat(np.arange(len(y)), times))
    weighted = Auto(candidates, task="task").fit(X, y, sample_weight=times)
    repeated = Auto(candidates, task="task").fit(X.iloc[again], y[again])
    assert weighted.tau_ == repeated.tau_
    f = "decision_function" if classes else "predict"
    np.testing.assert_allclose(getattr(weighted, f)(X), getattr(repeated, f)(X), atol=1e-6)


@pytest.mark.parametrize("candidates", [QUICK, [*QUICK, "curved"]])
def test_rows_may_be_a_list(candidates):
    X, y, _ = make_related_tasks(6, 2, 20, random_state=0)
    model = AutoMultiTaskRegressor(candidates, task=-1)
    assert list(X)[-1] == "task"
    found = model.fit(X.to_numpy().tolist(), list(y)).predict(X.to_numpy().tolist())
    np.testing.assert_allclose(found, clone(model).fit(X.to_numpy(), y).predict(X.to_numpy()))
    named = [[*row[:-1], f"shop {row[-1]:.0f}"] for row in X.to_numpy().tolist()]
    np.testing.assert_allclose(clone(model).fit(named, list(y)).predict(named), found, rtol=1e-9)


def test_tiny_tasks():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    X["task"] = [0] * 20 + [1] * 8 + [2, 3]
    y = X["a"].to_numpy() + rng.normal(size=30)
    model = AutoMultiTaskRegressor(WITH_REML, task="task").fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert (model.weights_[2:, model.candidates_.index("single-task")] == 0).all()


@pytest.mark.parametrize("candidates", [[], ["auto"]])
def test_refusals(candidates):
    X, y, _ = make_related_tasks(3, 2, 5, random_state=0)
    with pytest.raises(ValueError, match="AutoMultiTaskRegressor: candidates must"):
        AutoMultiTaskRegressor(candidates, task="task").fit(X, y)
